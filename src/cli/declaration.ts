import type { CliCommand, CliOption } from './getopt.ts';
import type { Reader } from './readers.ts';

/** A command, as `--help` describes it. */
export type DescribedCommand = CliCommand & {
  readonly description: string;
  /** How its words are written in a usage line; `[FILE...]` when left out. */
  readonly usage?: string;
  /** An example of its use: the words after the program's name, and what they do. */
  readonly example: { readonly words: string; readonly meaning: string };
};

/** An option, as `--help` describes it. */
export type DescribedOption = CliOption & {
  readonly description: string;
  /** The text that is used when the option is not given. */
  readonly default?: string;
  /** A blank value counts as none. */
  readonly mayBeBlank?: boolean;
  /** Turns its text into its value; without it the text itself is the value. */
  readonly read?: Reader<unknown>;
};

/** Options that `--help` shows together. */
export type OptionGroup = { readonly title: string; readonly options: readonly DescribedOption[] };
