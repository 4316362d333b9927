import type { CliCommand, CliOption } from './getopt.ts';
import type { Reader } from './readers.ts';

/** A command, as `--help` describes it. */
export type DescribedCommand = CliCommand & {
  readonly description: string;
  /** What follows the program's name in an example of its use, and what that does. */
  readonly example: { readonly words: string; readonly meaning: string };
};

/** An option, as `--help` describes it. */
export type DescribedOption = CliOption & {
  readonly description: string;
  /** The text that counts when the option is not given. */
  readonly default?: string;
  /** A blank value is as good as none. */
  readonly mayBeBlank?: boolean;
  /** Turns its text into its value; without it the text itself is the value. */
  readonly read?: Reader<unknown>;
};

/** Options that `--help` shows together. */
export type OptionGroup = { readonly title: string; readonly options: readonly DescribedOption[] };
