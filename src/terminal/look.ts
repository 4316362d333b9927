/** How to show a text. */
export type Look = {
  /** Columns. */
  readonly width: number;
  readonly colour: boolean;
  readonly utf8: boolean;
};

const CODES = { bold: '1', dim: '2', red: '31', green: '32', yellow: '33', cyan: '36' } as const;

export type Colour = keyof typeof CODES;

/** A text in a colour, where there are colours. */
export function paint({ colour }: Look, how: Colour | undefined, text: string): string {
  return colour && how !== undefined && text !== '' ? `\x1b[${CODES[how]}m${text}\x1b[0m` : text;
}

/** How to write to a stream. If it is no terminal: `COLUMNS`, else 80 columns. */
export function lookOf(
  stream: { readonly isTTY?: boolean; readonly columns?: number },
  { NO_COLOR, TERM, LC_ALL, LC_CTYPE, LANG, COLUMNS }: NodeJS.ProcessEnv,
): Look {
  // POSIX: the first of these that is set, and not to an empty word.
  const locale = LC_ALL || LC_CTYPE || LANG || '';
  return {
    // A terminal that does not know its size says 0.
    width: stream.isTTY === true && stream.columns ? stream.columns : Number(COLUMNS) || 80,
    // https://no-color.org
    colour: stream.isTTY === true && !NO_COLOR && TERM !== 'dumb',
    utf8: /utf-?8/i.test(locale),
  };
}
