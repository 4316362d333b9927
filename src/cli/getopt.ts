import { nearest } from '../config/nearest.ts';
import { quote } from '../config/values.ts';
import { usageError } from '../errors.ts';

/** An option as the command line reader knows it. */
export type CliOption = {
  /** Its one spelling for citty: `access_key`, `dry-run`. */
  readonly name: string;
  /** What its value is called (`KEY`); absent for a flag. */
  readonly value?: string;
  /** It is an option of the original: if an abbreviation fits this and a new option, this one is meant. */
  readonly original?: boolean;
  /** Abbreviations that mean this option whatever else they fit: `s` for `secret_key`. */
  readonly abbreviations?: readonly string[];
  /** One letter that means this option, case-sensitive, and only at the end, where no value can follow. */
  readonly letter?: string;
  /** None of its values begins with a dash and a letter: such a word is the next option. */
  readonly limited?: boolean;
  /** Its values are words of the command, so it may be repeated: `--log a b --log c`. */
  readonly isWord?: boolean;
  /** Its value is a secret: no message ever repeats a word that could be it. */
  readonly secret?: boolean;
  /** The commands that have it; absent: all. */
  readonly commands?: readonly string[];
};

export type CliCommand = {
  readonly name: string;
  /** How many words it takes besides options; none when absent. */
  readonly words?: number;
  /** What follows `--` is a command of its own: it is passed on after a second `--`, and does not count as words. */
  readonly takesCommand?: boolean;
};

/** Everything that may be on the command line. The first command is the default. */
export type CommandLine = {
  readonly commands: readonly [CliCommand, ...CliCommand[]];
  readonly options: readonly CliOption[];
  /** What to type instead of a word that is not a command. */
  readonly advice?: Readonly<Record<string, string>>;
};

/**
 * Reads a command line as Perl's Getopt::Long does, which the manual's examples and old scripts rely on: one dash or
 * two, any unique prefix, any case, `--opt value` or `--opt=value`, options before or after the command; and also
 * hyphens for underscores. An option with a value takes the next word whatever it looks like, as a mandatory string of
 * Getopt::Long does. `--` ends the options; the last of several counts.
 *
 * @returns the command word, if there is one, and the rest for citty: each option once, as `--name=value` or `--name`,
 *   then `--` and the other words, if there are any, and `--` and the command's own command, if there is one
 * @throws {UserError} for what cannot be understood; the message never repeats what may be a secret
 */
export function resolveOptions(
  argv: readonly string[],
  commandLine: CommandLine,
): { readonly command?: string; readonly args: string[] } {
  const given = new Map<CliOption, string | undefined>();
  const words: string[] = [];
  let ownCommand: readonly string[] | undefined;
  let named: CliCommand | undefined;
  let optionsEnded = false;

  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? '';
    const command = named ?? commandLine.commands[0];
    if (optionsEnded || word === '-' || !word.startsWith('-')) {
      if (named === undefined) named = findCommand(word, at, commandLine);
      else if (words.length < (named.words ?? 0)) words.push(word);
      else throw usageError(`${hidden(at)} is one word too many for ${named.name}; see ${named.name} --help`);
    } else if (word === '--' && command.takesCommand === true) {
      ownCommand = argv.slice(at + 1);
      break;
    } else if (word === '--') {
      optionsEnded = true;
    } else {
      const equals = word.indexOf('=');
      const typed = equals < 0 ? word : word.slice(0, equals);
      const isLast = at === argv.length - 1;
      const option =
        (isLast && commandLine.options.find(({ letter }) => letter !== undefined && word === `-${letter}`)) ||
        findOption(typed, command, commandLine.options);
      const value = equals < 0 ? undefined : word.slice(equals + 1);
      if (option.value === undefined) {
        if (value !== undefined) throw usageError(`--${option.name} takes no value`);
        given.set(option, undefined);
      } else {
        const taken = value ?? argv[++at];
        // As in Getopt::Long, nothing after the = means no value, but an empty next word is a value.
        const isMissing = value === undefined && option.limited === true && /^--?[a-z]/i.test(taken ?? '');
        if (taken === undefined || value === '' || isMissing) {
          throw usageError(`--${option.name} needs a value: --${option.name} ${option.value}`);
        }
        given.set(option, taken);
        if (option.isWord) words.push(taken);
      }
    }
  }

  const command = named ?? commandLine.commands[0];
  for (const option of given.keys()) assertOptionOf(command, option);
  return {
    ...(named !== undefined && { command: named.name }),
    args: [
      ...[...given]
        .filter(([{ isWord }]) => !isWord)
        .map(([{ name }, value]) => (value === undefined ? `--${name}` : `--${name}=${value}`)),
      ...(words.length > 0 || ownCommand !== undefined ? ['--', ...words] : []),
      ...(ownCommand === undefined ? [] : ['--', ...ownCommand]),
    ],
  };
}

function findCommand(word: string, at: number, { commands, advice = {} }: CommandLine): CliCommand {
  const command = commands.find(({ name }) => name === word);
  if (command !== undefined) return command;
  const instead = Object.entries(advice).find(([it]) => it === word)?.[1];
  if (instead !== undefined) throw usageError(`${quote(word)} is not a command of this program: ${instead}`);
  const names = commands.map(({ name }) => name);
  const meant = nearest(word, names);
  if (meant !== undefined) throw usageError(`unknown command ${quote(word)}, did you mean ${meant}?`);
  throw usageError(`${hidden(at)} is not a command, expected one of ${names.join(', ')}; see --help`);
}

/** A separate word may be the value of a mistyped `--secret_key`. */
function hidden(at: number): string {
  return `word ${at + 1} of the command line (not shown, it could be a secret)`;
}

/** The option of the command that a word (`-s`, `--access-key`) means; otherwise that of another command. */
function findOption(typed: string, command: CliCommand, options: readonly CliOption[]): CliOption {
  const name = plain(typed.replace(/^--?/, ''));
  const own = options.filter(option => isOptionOf(command, option));
  const fitting = [fit(name, own), fit(name, options)].find(({ length }) => length > 0) ?? [];
  const [option] = fitting;
  if (option === undefined) throw unknownOption(typed, own, options);
  if (fitting.length === 1) return option;
  throw usageError(`${quote(typed)} is ambiguous, expected one of ${spelled(fitting)}`);
}

/** The options that a name in plain spelling may mean; normally one. */
function fit(name: string, options: readonly CliOption[]): readonly CliOption[] {
  if (name === '') return [];
  const exact = options.filter(option => plain(option.name) === name);
  if (exact.length > 0) return exact;
  const abbreviated = options.filter(option => option.abbreviations?.includes(name));
  if (abbreviated.length > 0) return abbreviated;
  const longer = options.filter(option => plain(option.name).startsWith(name));
  const originals = longer.filter(option => option.original);
  return originals.length > 0 ? originals : longer;
}

function unknownOption(typed: string, own: readonly CliOption[], options: readonly CliOption[]): Error {
  const shown = withoutSecret(typed, options);
  const names = own.map(({ name }) => name);
  const meant = shown === typed ? nearest(typed, names) : undefined;
  const hint =
    meant === undefined ? `expected one of ${spelled(own)}; see --help` : `did you mean --${meant}?`;
  return usageError(`unknown option ${quote(shown)}, ${hint}`);
}

/** Cuts off what may be a secret that was written without a space: `-sSECRET`, `--secret_keySECRET`. */
function withoutSecret(typed: string, options: readonly CliOption[]): string {
  const dashes = typed.startsWith('--') ? 2 : 1;
  const name = plain(typed.slice(dashes));
  for (const secret of options.filter(option => option.secret)) {
    const known = plain(secret.name);
    const common = commonStart(name, known);
    const isMistyped = common < known.length && nearest(name, [known]) !== undefined;
    const least = dashes === 1 ? 1 : 3;
    if (common >= least && common < name.length && !isMistyped) return `${typed.slice(0, dashes + common)}…`;
  }
  return typed;
}

function commonStart(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

function assertOptionOf(command: CliCommand, option: CliOption): void {
  if (isOptionOf(command, option)) return;
  throw usageError(
    `--${option.name} is not an option of ${command.name}, but of ${option.commands?.join(', ')}`,
  );
}

function isOptionOf(command: CliCommand, option: CliOption): boolean {
  return option.commands?.includes(command.name) ?? true;
}

function spelled(options: readonly CliOption[]): string {
  return options.map(({ name }) => `--${name}`).join(', ');
}

/** Lower case, underscores. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll('-', '_');
}
