import type { ArgDef, ArgsDef } from 'citty';
import type { CliCommand, CliOption, CommandLine } from './getopt.ts';

/** An option, as `--help` describes it. */
export type DescribedOption = CliOption & { readonly description: string; readonly default?: string };

/** A command, as `--help` describes it. The first is the one that is meant when none is named. */
export type DescribedCommand = CliCommand & { readonly description: string };

export const COMMANDS = [
  { name: 'run', description: 'Watch the load and keep the farm at the right size (the default)' },
  {
    name: 'demo',
    description:
      'Show the balancer at work for a minute, with a stand-in for Apache and EC2; needs no account',
  },
] as const satisfies readonly DescribedCommand[];

export type CommandName = (typeof COMMANDS)[number]['name'];

/** Every option of the command line. A new one is one entry here. */
export const OPTIONS: readonly DescribedOption[] = [
  {
    name: 'access_key',
    value: 'KEY',
    original: true,
    commands: ['run'],
    description: 'EC2 access key; else EC2_ACCESS_KEY, else what the AWS SDK finds',
  },
  {
    name: 'secret_key',
    value: 'KEY',
    original: true,
    secret: true,
    abbreviations: ['s'],
    commands: ['run'],
    description: 'EC2 secret key; better EC2_SECRET_KEY, which nobody else sees while the program starts',
  },
  {
    name: 'conf',
    value: 'FILE',
    original: true,
    commands: ['run'],
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
    commands: ['run'],
    description: 'User to run as (must be started as root)',
  },
  {
    name: 'verbosity',
    value: '0-3',
    original: true,
    commands: ['run', 'demo'],
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
    commands: ['run'],
    description: 'AWS key pair to log in to the slaves with, from this host alone',
  },
  {
    name: 'keep-slaves',
    commands: ['run'],
    description: 'With --kill: leave the slaves and the farm file for the next start to take up',
  },
  {
    name: 'log-format',
    value: 'text|json',
    commands: ['run', 'demo'],
    default: 'text',
    description: 'Log lines for people, or one JSON object a line',
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
