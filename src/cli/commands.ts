import type { DescribedCommand } from './declaration.ts';

/** The first command is the default. */
export const COMMANDS = [
  {
    name: 'run',
    description: 'Watch the load and keep the farm at the right size (the default)',
    example: {
      words: 'run --dry-run --conf new.conf',
      meaning: 'Log what a balancer with another configuration would do',
    },
  },
  {
    name: 'setup',
    description: 'Ask for the settings, and write a configuration that works',
    example: {
      words: 'setup --yes --region us-west-2',
      meaning: 'Use every answer that it finds, for a script',
    },
  },
  {
    name: 'sync',
    description: "Copy the master's data into an EBS snapshot for the slaves",
    example: {
      words: 'sync --mysql /var/lib/mysql',
      meaning: 'Copy the databases directory of GBrowse and the data of MySQL',
    },
  },
  {
    name: 'image',
    description: 'Make an AMI for the slaves that draws as this master does',
    example: {
      words: 'image --dry-run',
      meaning: 'Show what an image would be made of',
    },
  },
  {
    name: 'status',
    description: 'Show what the running balancer sees and does',
    example: { words: 'status --watch', meaning: 'Show it again every two seconds' },
  },
  {
    name: 'report',
    description: 'Report the cost and the service of each day of a month',
    example: {
      words: 'report --month 2026-11 --csv',
      meaning: 'Export the days of November for a spreadsheet',
    },
  },
  {
    name: 'pause',
    description: 'Let GBrowse draw on the master for a while, for example for debugging',
    example: {
      words: 'pause --for 2h',
      meaning: 'Let GBrowse draw on the master for two hours, and keep the slaves for afterwards',
    },
  },
  {
    name: 'resume',
    description: 'End a pause: GBrowse draws on the slaves again',
    example: { words: 'resume', meaning: 'End a pause early' },
  },
  {
    name: 'logs',
    words: 1,
    usage: '[SLAVE]',
    description: "Show a slave's own logs; without ssh, the console that EC2 keeps",
    example: { words: 'logs --follow', meaning: 'Follow the logs of the only slave' },
  },
  {
    name: 'ssh',
    words: 1,
    takesCommand: true,
    usage: '[SLAVE] [-- COMMAND...]',
    description: 'Log in to a slave, or run a command there, with its host key verified',
    example: { words: 'ssh 10.0.0.5 -- df -h', meaning: 'Run a command on one slave' },
  },
  {
    name: 'check',
    description: 'Check that everything is in place, and say how to fix what is not',
    example: { words: 'check --topic mod_status', meaning: "Check only that Apache's load can be read" },
  },
  {
    name: 'simulate',
    words: Number.POSITIVE_INFINITY,
    description: 'Replay a load through the policy on a simulated spot market; needs no account',
    example: {
      words: 'simulate --log access.log --suggest',
      meaning: 'Suggest a load table for the requests in a log',
    },
  },
  {
    name: 'gc',
    description: 'List or remove resources in EC2 that no running balancer owns',
    example: { words: 'gc --yes', meaning: 'Remove what is left over' },
  },
  {
    name: 'farm',
    description: "Add the lines that farm = live needs to GBrowse's farm file, or remove them",
    example: { words: 'farm --install', meaning: 'Let GBrowse read the list of slaves directly' },
  },
  {
    name: 'iam-policy',
    description: 'Print the least-privilege IAM policy for this configuration',
    example: {
      words: 'iam-policy --commands',
      meaning: 'Print the commands that create a role or a user with it',
    },
  },
] as const satisfies readonly [DescribedCommand, ...DescribedCommand[]];

export type CommandName = (typeof COMMANDS)[number]['name'];

/** Words that people try as commands, and what to type instead. */
export const ADVICE: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['start', 'stop', 'restart', 'reload'].map(word => [
      word,
      `type "service gbrowse-aws-balancer ${word}" for the service`,
    ]),
  ),
  start:
    'type "service gbrowse-aws-balancer start" for the service, or "gbrowse-aws-balancer run --background --pidfile FILE" for a balancer of your own',
  stop: 'type "service gbrowse-aws-balancer stop" for the service, or "gbrowse-aws-balancer --kill --pidfile FILE" for a balancer that was started with that pidfile',
  help: 'type "gbrowse-aws-balancer --help", or "gbrowse-aws-balancer COMMAND --help"',
  version: 'type "gbrowse-aws-balancer --version"',
};
