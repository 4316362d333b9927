import { type ArgDef, type ArgsDef, parseArgs } from 'citty';
import { usageError } from '../errors.ts';
import type { CommandName } from './commands.ts';
import type { DescribedOption } from './declaration.ts';
import { OPTIONS, type Option } from './options.ts';

/** `log-format` and `ssh_key`, as `logFormat` and `sshKey`. */
type Key<Name extends string> = Name extends `${infer Head}-${infer Tail}` | `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Key<Tail>>}`
  : Name;

type OptionOf<Command extends CommandName, O = Option> = O extends { readonly isWord: true }
  ? never
  : O extends { readonly commands: readonly (infer Name)[] }
    ? Command extends Name
      ? O
      : never
    : O;

type ValueOf<O> = O extends { readonly read: (...given: never[]) => infer Value }
  ? Value
  : O extends { readonly value: string }
    ? string
    : boolean;

/** Options that always have a value: flags, and those with a default. */
type Sure<O> = O extends { readonly value: string }
  ? O extends { readonly default: string }
    ? O
    : never
  : O;

/**
 * The options of a command, read and checked: `given.logFormat` for `--log-format`. A flag is false when it was not
 * given, another option absent when it was not given or is blank.
 */
export type Given<Command extends CommandName> = {
  readonly [O in Sure<OptionOf<Command>> as Key<O['name']>]: ValueOf<O>;
} & {
  readonly [O in Exclude<OptionOf<Command>, Sure<OptionOf<Command>>> as Key<O['name']>]?: ValueOf<O>;
} & {
  /** The words on the command line besides options. */
  readonly words: readonly string[];
};

/**
 * Reads the options of a command from the result of `resolveOptions`: citty parses it and fills in the defaults, then
 * each option is read as it is declared.
 *
 * @throws {UserError} for a value that an option cannot have
 */
export function readOptions<Command extends CommandName>(
  command: Command,
  args: readonly string[],
): Given<Command> {
  const { _: words, ...parsed } = parseArgs([...args], argsOf(command));
  const given: Record<string, unknown> = { words };
  for (const option of optionsOf(command)) {
    const value = parsed[option.name];
    const key = option.name.replaceAll(/[-_](\w)/g, (_, letter: string) => letter.toUpperCase());
    if (option.value === undefined) {
      given[key] = value === true;
    } else if (value === '') {
      // Old scripts pass unset values: --access_key "$ACCESS_KEY".
      if (option.mayBeBlank) continue;
      throw usageError(`--${option.name} needs a value: --${option.name} ${option.value}`);
    } else if (typeof value === 'string') {
      given[key] = option.read === undefined ? value : option.read(value, option.name);
    }
  }
  // The type says what the loop does with the declarations.
  return given as Given<Command>;
}

// citty's own commands and usage are not used: its dispatch drops a command's exit status, its prefixes are not Getopt's.

/** The options that a command has. */
export function optionsOf(command: CommandName): readonly DescribedOption[] {
  return OPTIONS.filter(option => option.commands?.includes(command) ?? true);
}

function argsOf(command: CommandName): ArgsDef {
  return Object.fromEntries(optionsOf(command).map(option => [option.name, argOf(option)]));
}

function argOf({ value, default: preset }: DescribedOption): ArgDef {
  if (value === undefined) return { type: 'boolean' };
  return { type: 'string', ...(preset !== undefined && { default: preset }) };
}
