import type { Fields, Level } from './log.ts';

/** One message on its way out. */
export type Entry = {
  readonly date: Date;
  readonly level: Level;
  readonly message: string;
  readonly fields: Fields;
};

/** An entry as text, ending with a newline. */
export type Format = (entry: Entry) => string;

/**
 * `2026-11-22T15:31:51Z INFO  message`. Each line of a message of several lines carries time and level, so that
 * every line of the file can be found with grep and none can pretend to be another entry.
 */
export function formatPlain({ date, level, message }: Entry): string {
  const prefix = `${date.toISOString().slice(0, 19)}Z ${level.toUpperCase().padEnd(LEVEL_WIDTH)}`;
  return linesOf(message)
    .map(line => `${prefix} ${line}`.trimEnd())
    .join('\n')
    .concat('\n');
}

/** One JSON object a line: time (UTC), level, message, and the fields of the message. */
export function formatJson({ date, level, message, fields }: Entry): string {
  const base = { time: date.toISOString(), level, message };
  return `${JSON.stringify({ ...base, ...fields, ...base })}\n`;
}

/** For a terminal: local time, the level (in its colour), further lines set below the first. */
export function terminalFormat(colour: boolean): Format {
  const paint = (code: string, text: string) => (colour ? `\x1b[${code}m${text}\x1b[0m` : text);
  return ({ date, level, message }) => {
    const time = [date.getHours(), date.getMinutes(), date.getSeconds()]
      .map(part => String(part).padStart(2, '0'))
      .join(':');
    const [first = '', ...more] = linesOf(message);
    const indent = ' '.repeat(time.length + 1 + LEVEL_WIDTH + 1);
    const head = `${paint(DIM, time)} ${paint(COLOUR[level], level.padEnd(LEVEL_WIDTH))} ${first}`;
    return [head, ...more.map(line => `${indent}${line}`.trimEnd()), ''].join('\n');
  };
}

const LEVEL_WIDTH = 5;
const DIM = '2';
/** Bold red, yellow, cyan, dim. */
const COLOUR = { error: '1;31', warn: '33', info: '36', debug: DIM } as const satisfies Record<Level, string>;

/** The lines of a message, with control characters (from a web page, from an error of AWS) made visible. */
function linesOf(message: string): string[] {
  return message
    .trimEnd()
    .split(/\r?\n/)
    .map(line =>
      line.replaceAll(/\p{Cc}/gu, character =>
        character === '\t' ? character : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
      ),
    );
}
