/** The original's levels of verbosity: 0 errors, 1 warnings, 2 what is done (the default), 3 everything. */
export const VERBOSITY = { error: 0, warn: 1, info: 2, debug: 3 } as const;

export type Level = keyof typeof VERBOSITY;

/** Data beside a message, for `--log-format json`. Never a secret. */
export type Fields = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** Where the program says what it does. A message is one sentence for a person. */
export type Log = Readonly<Record<Level, (message: string, fields?: Fields) => void>>;
