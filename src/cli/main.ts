import { stripVTControlCharacters } from 'node:util';
import { type ArgsDef, type CommandDef, defineCommand, parseArgs, renderUsage } from 'citty';
import { takeRole } from '../daemon/self.ts';
import { hideArguments } from '../daemon/title.ts';
import { isUserError } from '../errors.ts';
import { resolveOptions } from './getopt.ts';
import { argsOf, COMMAND_LINE, COMMANDS, type CommandName, OPTIONS } from './options.ts';
import { VERSION } from './version.ts';

/** Options as given, by their name; a flag that was given is `true`. */
export type GivenOptions = Readonly<Record<string, unknown>>;

/**
 * What each command does; the answer is the exit status. Loaded when it is run: `--version` and the keeper need little
 * of the program.
 */
const DO: Record<CommandName, (options: GivenOptions) => Promise<number>> = {
  run: async options => (await import('./commands/run.ts')).run(options),
  sync: async options => (await import('./commands/sync.ts')).sync(options),
  status: async options => (await import('./commands/status.ts')).status(options),
  check: async options => (await import('./commands/check.ts')).check(options),
  simulate: async options => (await import('./commands/simulate.ts')).simulate(options),
  gc: async options => (await import('./commands/gc.ts')).gc(options),
  'iam-policy': async options => (await import('./commands/iam-policy.ts')).iamPolicy(options),
};

/** How an option begins that nobody may see in `ps`. */
const SECRETS = OPTIONS.filter(({ secret }) => secret).map(({ name }) => `--${name}=`);

/**
 * The program: reads the command line and does what it says.
 *
 * @returns the exit status
 */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    const role = takeRole();
    if (role === 'keeper') {
      await (await import('./commands/keeper.ts')).keeper();
      return 0;
    }
    const { command, args } = resolveOptions(argv, COMMAND_LINE);
    const name = COMMANDS.find(it => it.name === command)?.name ?? 'run';
    const options = parseArgs(args, argsOf(name));
    if (options.help === true) {
      const text = await usage(command === undefined ? undefined : name);
      const colour = process.stdout.isTTY && !process.env.NO_COLOR;
      process.stdout.write(`${colour ? text : stripVTControlCharacters(text).replaceAll(/ +$/gm, '')}\n`);
      return 0;
    }
    if (options.version === true) {
      process.stdout.write(`gbrowse-aws-balancer ${VERSION}\n`);
      return 0;
    }
    hideArguments([name, ...args.filter(it => !SECRETS.some(secret => it.startsWith(secret)))]);
    return await DO[name]({ ...options, ...(role === 'background' && { role }) });
  } catch (error) {
    process.stderr.write(`${isUserError(error) ? error.message : bugReport(error)}\n`);
    return isUserError(error) ? error.exitStatus : 1;
  }
}

function bugReport(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `gbrowse-aws-balancer ${VERSION}: a bug of the program, please report it:\n${stack}`;
}

/** `--help`, of the whole program or of one command. */
async function usage(name: CommandName | undefined): Promise<string> {
  const definitions = new Map(COMMANDS.map(command => [command.name, definitionOf(command.name)]));
  const program: CommandDef<ArgsDef> = {
    ...definitionOf('run'),
    meta: {
      name: 'gbrowse-aws-balancer',
      version: VERSION,
      description: "Offloads GBrowse's track rendering to a farm of EC2 spot instances",
    },
    subCommands: Object.fromEntries(definitions),
  };
  const definition = name === undefined ? undefined : definitions.get(name);
  return definition === undefined ? renderUsage(program) : renderUsage(definition, program);
}

function definitionOf(name: CommandName): CommandDef<ArgsDef> {
  const description = COMMANDS.find(command => command.name === name)?.description ?? '';
  return defineCommand<ArgsDef>({ meta: { name, description }, args: argsOf(name) });
}
