import type { ArgDef, ArgsDef } from 'citty';
import type { CliCommand, CliOption, CommandLine } from './getopt.ts';

/** An option, as `--help` describes it. */
export type DescribedOption = CliOption & { readonly description: string; readonly default?: string };

/** A command, as `--help` describes it. The first is the one that is meant when none is named. */
export type DescribedCommand = CliCommand & { readonly description: string };

export const COMMANDS = [
  { name: 'run', description: 'Watch the load and keep the farm at the right size (the default)' },
  { name: 'sync', description: "Copy the master's data into an EBS snapshot for the slaves" },
  { name: 'status', description: 'Show what the running balancer sees and does' },
  { name: 'check', description: 'Look whether everything is in place, and say what to mend' },
  {
    name: 'simulate',
    words: Number.POSITIVE_INFINITY,
    description: 'Replay a load through the policy on a simulated spot market; needs no account',
  },
  { name: 'gc', description: 'List, or remove, what is left in EC2 and no running balancer owns' },
  { name: 'iam-policy', description: 'Print the least that AWS must allow for this configuration' },
] as const satisfies readonly DescribedCommand[];

export type CommandName = (typeof COMMANDS)[number]['name'];

/** Every option of the command line. A new one is one entry here. */
export const OPTIONS: readonly DescribedOption[] = [
  {
    name: 'access_key',
    value: 'KEY',
    original: true,
    commands: ['run', 'sync', 'check', 'gc'],
    description: 'EC2 access key; else EC2_ACCESS_KEY, else what the AWS SDK finds',
  },
  {
    name: 'secret_key',
    value: 'KEY',
    original: true,
    secret: true,
    abbreviations: ['s'],
    commands: ['run', 'sync', 'check', 'gc'],
    description: 'EC2 secret key; better EC2_SECRET_KEY, which nobody else sees while the program starts',
  },
  {
    name: 'conf',
    value: 'FILE',
    original: true,
    abbreviations: ['config'],
    commands: ['run', 'sync', 'status', 'check', 'simulate', 'gc', 'iam-policy'],
    description:
      'Configuration file; else the first of /etc/gbrowse2, /etc/gbrowse, /opt/gbrowse/etc that has one',
  },
  {
    name: 'pidfile',
    value: 'FILE',
    original: true,
    commands: ['run'],
    description: 'File that holds the process id of the balancer',
  },
  {
    name: 'logfile',
    value: 'FILE',
    original: true,
    commands: ['run'],
    description: 'File to append log messages to',
  },
  {
    name: 'user',
    value: 'NAME',
    original: true,
    commands: ['run', 'check'],
    description: 'User to run as (must be started as root)',
  },
  {
    name: 'verbosity',
    value: '0-3',
    original: true,
    commands: ['run', 'sync'],
    default: '2',
    description: '0 errors, 1 warnings, 2 what is done, 3 everything',
  },
  {
    name: 'background',
    original: true,
    commands: ['run'],
    description: 'Go into the background and run as a daemon',
  },
  {
    name: 'kill',
    original: true,
    commands: ['run'],
    description: 'End the balancer of this --pidfile and wait until it has cleaned up',
  },
  {
    name: 'ssh_key',
    value: 'NAME',
    original: true,
    commands: ['run', 'check', 'iam-policy'],
    description: 'AWS key pair to log in to the slaves with, from this host alone',
  },
  {
    name: 'mysql',
    value: 'DIR',
    original: true,
    commands: ['sync'],
    description:
      'Copy the data directory of MySQL or MariaDB too; the server is stopped for the last, short pass',
  },
  {
    name: 'postgres',
    value: 'DIR',
    original: true,
    commands: ['sync'],
    description: 'Copy the data directory of PostgreSQL, or the one that has all clusters, too',
  },
  {
    name: 'keep',
    value: 'N',
    commands: ['sync'],
    default: '3',
    description: 'How many sets of data snapshots stay; older ones that no configuration names are deleted',
  },
  {
    name: 'keep-slaves',
    commands: ['run'],
    description: 'With --kill: leave the slaves and the farm file for the next start to take up',
  },
  {
    name: 'log-format',
    value: 'text|json',
    commands: ['run'],
    default: 'text',
    description: 'Log lines for people, or one JSON object a line',
  },
  {
    name: 'metrics-file',
    value: 'FILE',
    commands: ['run'],
    description: "File to write metrics to, for the textfile collector of Prometheus's node_exporter",
  },
  {
    name: 'watch',
    commands: ['status'],
    description: 'Show it again every two seconds, until Ctrl-C or q',
  },
  {
    name: 'json',
    commands: ['status', 'check', 'simulate', 'gc'],
    description: 'Print JSON instead of text',
  },
  {
    name: 'sync',
    commands: ['iam-policy'],
    description: 'Allow what sync does as well',
  },
  {
    name: 'yes',
    commands: ['gc'],
    description: 'Remove what is left over; without it, it is only listed',
  },
  {
    name: 'all-masters',
    commands: ['gc'],
    description: 'Look at the leftovers of every master in the account, in this region',
  },
  {
    name: 'log',
    value: 'FILE',
    isWord: true,
    commands: ['simulate'],
    description:
      'Access log to replay, gzip or not; more files may follow, in any order; - is the standard input',
  },
  {
    name: 'rates',
    value: 'FILE',
    commands: ['simulate'],
    description: 'Load to replay: the requests in each second, one number a line; gzip or not',
  },
  {
    name: 'trace',
    value: 'day|burst|week',
    commands: ['simulate'],
    description: 'Load to replay that comes with the program; the day, when nothing else is given',
  },
  {
    name: 'speed',
    value: 'TIMES',
    commands: ['simulate'],
    default: '1',
    description: 'Replay the load so many times as fast: more requests a second, in less time',
  },
  {
    name: 'boot-time',
    value: 'SECONDS',
    commands: ['simulate'],
    default: '90',
    description: 'How long a slave takes from its launch until it answers; 60-120 draws it from a range',
  },
  {
    name: 'price',
    value: 'DOLLARS|FILE',
    commands: ['simulate'],
    description:
      'Spot price an hour, or what "aws ec2 describe-spot-price-history" has printed; else the spot_bid',
  },
  {
    name: 'interruptions',
    value: 'RATE',
    commands: ['simulate'],
    default: '0',
    description: 'How often EC2 takes a slave back, an instance and hour: 0.01 is once in 100 hours',
  },
  {
    name: 'fixed',
    value: 'COUNT',
    commands: ['simulate'],
    description: 'Slaves of the fixed farm to compare with; else what the highest load needs',
  },
  {
    name: 'compare',
    value: 'FILE',
    commands: ['simulate'],
    description: 'A second configuration file, to put beside the first',
  },
  {
    name: 'suggest',
    commands: ['simulate'],
    description: 'Propose a load table for this load, and say how sure that is',
  },
  {
    name: 'html',
    value: 'FILE',
    commands: ['simulate'],
    description: 'Write a page with charts, for a browser',
  },
  {
    name: 'seed',
    value: 'TEXT',
    commands: ['simulate'],
    default: '1',
    description: 'What chance depends on: the same seed gives the same answer',
  },
  {
    name: 'dry-run',
    commands: ['run', 'sync'],
    description: 'Say what would be done, and change nothing',
  },
  {
    name: 'topic',
    value: 'NAME',
    commands: ['check'],
    description: 'Look only at what begins with this, such as configuration or mod_status',
  },
  {
    name: 'timeout',
    value: 'SECONDS',
    commands: ['check'],
    default: '9',
    description: 'How long to wait for answers',
  },
  { name: 'help', abbreviations: ['h', '?'], description: 'Show this' },
  { name: 'version', description: 'Show the version' },
];

export const COMMAND_LINE: CommandLine = { commands: COMMANDS, options: OPTIONS };

/** The options of a command in the form that citty takes. */
export function argsOf(command: CommandName): ArgsDef {
  return Object.fromEntries(
    OPTIONS.filter(option => option.commands?.includes(command) ?? true).map(option => [
      option.name,
      argOf(option),
    ]),
  );
}

function argOf({ value, description, default: preset }: DescribedOption): ArgDef {
  return value === undefined
    ? { type: 'boolean', description }
    : { type: 'string', description, valueHint: value, ...(preset !== undefined && { default: preset }) };
}
