import { ACTIONS } from './action-options.ts';
import { ADVICE, COMMANDS } from './commands.ts';
import type { DescribedOption, OptionGroup } from './declaration.ts';
import type { CommandLine } from './getopt.ts';
import { absolutePath, oneOf, verbosityLevel } from './readers.ts';
import { SETUP_GROUPS } from './setup-options.ts';
import { SIMULATE_GROUPS } from './simulate-options.ts';

/**
 * Every option of the command line, as `--help` groups them. A new option is one entry here, or in `action-options.ts`,
 * `setup-options.ts` or `simulate-options.ts`.
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
        commands: ['run', 'sync', 'image', 'setup', 'logs', 'ssh', 'check', 'gc'],
        description: 'EC2 access key (default: EC2_ACCESS_KEY, else the sources of the AWS SDK)',
      },
      {
        name: 'secret_key',
        value: 'KEY',
        original: true,
        mayBeBlank: true,
        secret: true,
        abbreviations: ['s'],
        commands: ['run', 'sync', 'image', 'setup', 'logs', 'ssh', 'check', 'gc'],
        description:
          'EC2 secret key; EC2_SECRET_KEY is safer, because no other user sees it while the program starts',
      },
      {
        name: 'ssh_key',
        value: 'NAME',
        original: true,
        mayBeBlank: true,
        commands: ['run', 'logs', 'ssh', 'check', 'iam-policy'],
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
  ACTIONS,
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
          'logs',
          'ssh',
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
        description:
          'HTML file that shows load, slaves and money, for a web server that restricts access to it',
      },
      {
        name: 'json',
        commands: ['status', 'report', 'check', 'simulate', 'gc'],
        description: 'Print JSON instead of text',
      },
      {
        name: 'csv',
        commands: ['report'],
        description: 'Print comma-separated values, one line per day',
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
