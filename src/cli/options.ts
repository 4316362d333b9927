import { DAY, MINUTE } from '../clock.ts';
import { ADVICE, COMMANDS } from './commands.ts';
import type { DescribedOption, OptionGroup } from './declaration.ts';
import type { CommandLine } from './getopt.ts';
import {
  absolutePath,
  amiOrPresent,
  countBetween,
  keyArn,
  month,
  numberBetween,
  oneOf,
  timeBetween,
  verbosityLevel,
} from './readers.ts';
import { SETUP_GROUPS } from './setup-options.ts';
import { SIMULATE_GROUPS } from './simulate-options.ts';

/**
 * Every option of the command line, as `--help` groups them. A new option is one entry here, in `setup-options.ts` or
 * in `simulate-options.ts`.
 */
export const OPTION_GROUPS = [
  {
    title: 'Accounts and keys',
    options: [
      {
        name: 'access_key',
        value: 'KEY',
        original: true,
        mayBeBlank: true,
        commands: ['run', 'sync', 'image', 'setup', 'check', 'gc'],
        description: 'EC2 access key (default: EC2_ACCESS_KEY, else the sources of the AWS SDK)',
      },
      {
        name: 'secret_key',
        value: 'KEY',
        original: true,
        mayBeBlank: true,
        secret: true,
        abbreviations: ['s'],
        commands: ['run', 'sync', 'image', 'setup', 'check', 'gc'],
        description:
          'EC2 secret key; EC2_SECRET_KEY is safer, because no other user sees it while the program starts',
      },
      {
        name: 'ssh_key',
        value: 'NAME',
        original: true,
        mayBeBlank: true,
        commands: ['run', 'check', 'iam-policy'],
        description: 'AWS key pair for logging in to the slaves, from this host only',
      },
      {
        name: 'user',
        value: 'NAME',
        original: true,
        mayBeBlank: true,
        commands: ['run', 'check', 'farm'],
        description: 'User to run as (must be started as root)',
      },
    ],
  },
  {
    title: 'Actions',
    options: [
      {
        name: 'background',
        original: true,
        commands: ['run'],
        description: 'Run in the background, as a daemon',
      },
      {
        name: 'kill',
        original: true,
        commands: ['run'],
        description: 'Stop the balancer with this --pidfile, and wait until it has cleaned up',
      },
      {
        name: 'keep-slaves',
        commands: ['run'],
        description: 'With --kill: leave the slaves and the farm file for the next start to take over',
      },
      {
        name: 'dry-run',
        commands: ['run', 'sync', 'image', 'setup'],
        description: 'Show what would be done, and change nothing',
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
        description: 'Copy a data directory of PostgreSQL too, or the directory of all clusters',
      },
      {
        name: 'keep',
        value: 'N',
        read: countBetween(1, 1000),
        limited: true,
        commands: ['sync', 'image'],
        default: '3',
        description:
          'How many sets of data snapshots, or images, to keep; older ones that no configuration names are deleted',
      },
      {
        name: 'from',
        value: 'AMI',
        read: amiOrPresent,
        commands: ['image'],
        description:
          "The AMI to start from (default: the newest official one of this master's distribution); present: the current one of the slaves",
      },
      {
        name: 'script',
        value: 'FILE',
        read: absolutePath,
        commands: ['image'],
        description: 'Script to run last, as root, on the machine that becomes the image',
      },
      {
        name: 'watch',
        commands: ['status'],
        description: 'Show it again every two seconds, until Ctrl-C or q',
      },
      {
        name: 'since',
        value: 'TIME',
        read: timeBetween(MINUTE, 60 * DAY),
        limited: true,
        commands: ['status'],
        description:
          'Show the history of so long, such as 12h or 7d (60 days at most), in place of the present',
      },
      {
        name: 'month',
        value: 'YYYY-MM',
        read: month,
        limited: true,
        commands: ['report'],
        description: 'Report on this month (UTC) in place of the present one',
      },
      {
        name: 'for',
        value: 'TIME',
        read: timeBetween(MINUTE, 366 * DAY),
        limited: true,
        commands: ['pause'],
        description: 'End the pause after this time, such as 90m, 2h or 1d (default: not before "resume")',
      },
      {
        name: 'release',
        commands: ['pause'],
        description: 'Release the slaves; without this option they are kept, and go on costing money',
      },
      {
        name: 'topic',
        value: 'NAME',
        commands: ['check'],
        description: 'Check only the topics that begin with this, such as configuration or mod_status',
      },
      {
        name: 'render',
        commands: ['check'],
        description: 'Also draw one track of every data source, on a slave if the farm has one',
      },
      {
        name: 'timeout',
        value: 'SECONDS',
        read: numberBetween(2, 600, 'of seconds'),
        limited: true,
        commands: ['check'],
        default: '9',
        description: 'How long to wait for each answer',
      },
      {
        name: 'install',
        commands: ['farm'],
        description: "Let GBrowse read the balancer's list of slaves directly",
      },
      {
        name: 'remove',
        commands: ['farm'],
        description: 'Remove those lines from the farm file; other slaves in it stay',
      },
      {
        name: 'yes',
        commands: ['gc', 'setup'],
        description:
          'With gc: remove the leftovers, which are otherwise only listed; with setup: use every answer that it finds',
      },
      {
        name: 'all-masters',
        commands: ['gc'],
        description: 'Include the leftovers of every master in the account, in this region',
      },
      {
        name: 'commands',
        commands: ['iam-policy'],
        description: 'Print AWS CLI commands that give the policy to a role (on EC2) or a user (elsewhere)',
      },
      {
        name: 'sync',
        commands: ['iam-policy'],
        description: 'Also allow what sync does',
      },
      {
        name: 'image',
        commands: ['iam-policy'],
        description: 'Also allow what image does',
      },
      {
        name: 'kms-key',
        value: 'ARN',
        read: keyArn,
        commands: ['iam-policy'],
        description:
          "Also allow the use of this KMS key, the account's own, which encrypts the slaves' volumes",
      },
    ],
  },
  {
    title: 'Files and output',
    options: [
      {
        name: 'conf',
        value: 'FILE',
        read: absolutePath,
        original: true,
        mayBeBlank: true,
        abbreviations: ['config'],
        commands: [
          'run',
          'sync',
          'image',
          'setup',
          'status',
          'report',
          'pause',
          'resume',
          'check',
          'simulate',
          'gc',
          'iam-policy',
          'farm',
        ],
        description:
          'Configuration file (default: aws_balancer.conf in /etc/gbrowse2, /etc/gbrowse or /opt/gbrowse/etc)',
      },
      {
        name: 'pidfile',
        value: 'FILE',
        read: absolutePath,
        original: true,
        mayBeBlank: true,
        commands: ['run'],
        description: 'File that holds the process id of the balancer',
      },
      {
        name: 'logfile',
        value: 'FILE',
        read: absolutePath,
        original: true,
        mayBeBlank: true,
        commands: ['run'],
        description: 'File to append log messages to',
      },
      {
        name: 'verbosity',
        value: '0-3',
        read: verbosityLevel,
        limited: true,
        original: true,
        commands: ['run', 'sync', 'image'],
        default: '2',
        description: '0 errors, 1 warnings, 2 what is done, 3 everything',
      },
      {
        name: 'log-format',
        value: 'text|json',
        read: oneOf('text', 'json'),
        limited: true,
        commands: ['run'],
        default: 'text',
        description: 'Log as text, or as one JSON object per line',
      },
      {
        name: 'metrics-file',
        value: 'FILE',
        read: absolutePath,
        commands: ['run'],
        description: "File to write metrics to, for the textfile collector of Prometheus's node_exporter",
      },
      {
        name: 'status-page',
        value: 'FILE',
        read: absolutePath,
        commands: ['run'],
        description: 'HTML file to show load, slaves and money in, for a web server that protects it',
      },
      {
        name: 'json',
        commands: ['status', 'report', 'check', 'simulate', 'gc'],
        description: 'Print JSON instead of text',
      },
      {
        name: 'csv',
        commands: ['report'],
        description: 'Print comma-separated values, a line a day',
      },
    ],
  },
  ...SETUP_GROUPS,
  ...SIMULATE_GROUPS,
  {
    title: 'Help',
    options: [
      { name: 'help', abbreviations: ['h', '?'], description: 'Show this help' },
      { name: 'version', letter: 'V', description: 'Show the version' },
    ],
  },
] as const satisfies readonly OptionGroup[];

type Group = (typeof OPTION_GROUPS)[number];
type OptionsOf<G> = G extends { readonly options: readonly (infer O)[] } ? O : never;

/** Any option as declared. */
export type Option = OptionsOf<Group>;

export const OPTIONS: readonly DescribedOption[] = OPTION_GROUPS.flatMap(group => [...group.options]);

export const COMMAND_LINE: CommandLine = { commands: COMMANDS, options: OPTIONS, advice: ADVICE };
