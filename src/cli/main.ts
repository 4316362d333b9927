import { closeInheritedFiles } from '../daemon/inherited.ts';
import { type Role, takeRole } from '../daemon/self.ts';
import { hideArguments } from '../daemon/title.ts';
import { isUserError } from '../errors.ts';
import { lookOf } from '../terminal/look.ts';
import { COMMANDS, type CommandName } from './commands.ts';
import { assertEnoughFiles } from './enough-files.ts';
import { prepareEnvironment } from './environment.ts';
import { resolveOptions } from './getopt.ts';
import { type Given, readOptions } from './given.ts';
import { COMMAND_LINE, OPTIONS } from './options.ts';
import { guardOutput } from './output.ts';
import { VERSION } from './version.ts';

/**
 * What each command does; it returns the exit status. Loaded only when it is run: `--version` and the keeper need
 * little of the program.
 */
const DO: { readonly [C in CommandName]: (given: Given<C>, role: Role | undefined) => Promise<number> } = {
  run: async (given, role) => (await import('./commands/run.ts')).run(given, role === 'background'),
  setup: async given => (await import('./commands/setup.ts')).setup(given),
  sync: async given => (await import('./commands/sync.ts')).sync(given),
  image: async given => (await import('./commands/image.ts')).image(given),
  status: async given => (await import('./commands/status.ts')).status(given),
  report: async given => (await import('./commands/report.ts')).report(given),
  pause: async given => (await import('./commands/pause.ts')).pause(given),
  resume: async given => (await import('./commands/pause.ts')).resume(given),
  logs: async given => (await import('./commands/logs.ts')).logs(given),
  ssh: async given => (await import('./commands/ssh.ts')).ssh(given),
  check: async given => (await import('./commands/check.ts')).check(given),
  simulate: async given => (await import('./commands/simulate.ts')).simulate(given),
  gc: async given => (await import('./commands/gc.ts')).gc(given),
  farm: async given => (await import('./commands/farm.ts')).farm(given),
  'iam-policy': async given => (await import('./commands/iam-policy.ts')).iamPolicy(given),
};

/** The beginning of an option that must not show in `ps`. */
const SECRETS = OPTIONS.filter(({ secret }) => secret).map(({ name }) => `--${name}=`);

/**
 * The program: reads the command line and does what it says.
 *
 * @returns the exit status
 */
export async function main(argv: readonly string[]): Promise<number> {
  const role = takeRole();
  const read = readCommandLine(argv);
  // Before standard output is used, because a terminal is reopened then. Other commands may be given /dev/fd/N to read.
  if (role === undefined && 'name' in read && read.name === 'run') closeInheritedFiles();
  guardOutput();
  try {
    if (role === 'keeper') {
      await (await import('./commands/keeper.ts')).keeper();
      return 0;
    }
    if ('error' in read) throw read.error;
    const { named, name, args } = read;
    const options = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
    if (options.includes('--help')) {
      const { helpText } = await import('./help.ts');
      process.stdout.write(helpText(named, lookOf(process.stdout, process.env)));
      return 0;
    }
    if (options.includes('--version')) {
      process.stdout.write(`gbrowse-aws-balancer ${VERSION}\n`);
      return 0;
    }
    assertEnoughFiles();
    // The process that started the daemon passed its environment on.
    if (role === undefined) prepareEnvironment(process.env);
    hideArguments([name, ...args.filter(it => !SECRETS.some(secret => it.startsWith(secret)))]);
    return await perform(name, args, role);
  } catch (error) {
    process.stderr.write(`${isUserError(error) ? error.message : bugReport(error)}\n`);
    return isUserError(error) ? error.exitStatus : 1;
  }
}

type CommandLineRead = {
  /** The command, if one was named. */
  readonly named: CommandName | undefined;
  /** The command that is meant. */
  readonly name: CommandName;
  readonly args: readonly string[];
};

function readCommandLine(argv: readonly string[]): CommandLineRead | { readonly error: unknown } {
  try {
    const { command, args } = resolveOptions(withoutHelpWords(argv), COMMAND_LINE);
    const named = COMMANDS.find(it => it.name === command)?.name;
    return { named, name: named ?? COMMANDS[0].name, args };
  } catch (error) {
    return { error };
  }
}

function perform<C extends CommandName>(
  name: C,
  args: readonly string[],
  role: Role | undefined,
): Promise<number> {
  return DO[name](readOptions(name, args), role);
}

/** `help`, `help COMMAND` and `version` as the options that they mean. */
function withoutHelpWords(argv: readonly string[]): readonly string[] {
  const [first, ...rest] = argv;
  if (first === 'help' && rest.length < 2) return [...rest, '--help'];
  return first === 'version' && rest.length === 0 ? ['--version'] : argv;
}

function bugReport(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `gbrowse-aws-balancer ${VERSION}: a bug in the program, please report it:\n${stack}`;
}
