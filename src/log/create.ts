import { createConsola } from 'consola/basic';
import { type LogFile, openLogFile } from './file.ts';
import { type Entry, type Format, formatJson, formatPlain, terminalFormat } from './format.ts';
import { type Fields, type Level, type Log, VERBOSITY } from './log.ts';
import { createRedactor } from './redact.ts';

/** Where a log may go besides a file: stderr, so that stdout has only results. */
type LogStream = {
  readonly isTTY?: boolean;
  write(text: string): unknown;
};

export type LogOptions = {
  /** 0 errors, 1 warnings, 2 what is done, 3 everything. */
  readonly verbosity: number;
  /** `text`: coloured lines on a terminal, plain ones elsewhere. */
  readonly format: 'text' | 'json';
  /** Where to append. */
  readonly file?: string;
  /** `process.stderr` in the foreground; a balancer in the background has none. */
  readonly stream?: LogStream;
  /** Secrets that must never appear in the log. */
  readonly secrets?: readonly (string | undefined)[];
  /** For `NO_COLOR` and `TERM`. */
  readonly environment?: NodeJS.ProcessEnv;
};

export type OpenLog = Log & {
  /**
   * After logrotate: reopens the file at its path.
   *
   * @throws {UserError} when it cannot be opened; the log goes on in the file that is open
   */
  readonly reopen: () => void;
  /** Adds a secret that became known later; from now on it is replaced by `***`, too. */
  readonly hide: (secret: string | undefined) => void;
  readonly close: () => void;
  /** Why messages were lost, a sentence; undefined when none were. */
  readonly trouble: () => string | undefined;
};

// consola keeps levels and reporters. We format the lines (format.ts): every line of a file carries its time, and no
// control character reaches a terminal. Its full build, with its own reporters and prompts, costs 29 ms at the start.

/**
 * The program's log. Writing is synchronous, so that messages before a crash are not lost. Never throws when a message
 * cannot be written.
 *
 * @throws {UserError} when the file cannot be opened
 */
export function createLog(options: LogOptions): OpenLog {
  const { hide, redact } = createRedactor(options.secrets);
  const { stream, format, environment = process.env } = options;
  const lineFormat: Format = format === 'json' ? formatJson : formatPlain;
  const streamFormat: Format =
    format === 'text' && stream?.isTTY === true ? terminalFormat(wantsColour(environment)) : lineFormat;
  let trouble: string | undefined;
  const file =
    options.file === undefined
      ? undefined
      : openLogFile(options.file, describeLoss, tellLossOf(options.file));

  function describeLoss(messages: number, reason: string): string {
    const message = `${messages} ${messages === 1 ? 'message is' : 'messages are'} missing here: the log could not be written (${reason})`;
    return lineFormat({ date: new Date(), level: 'warn', message, fields: {} });
  }

  /** Tells the terminal that the file does not get the messages. */
  function tellLossOf(path: string): (reason: string) => void {
    return reason => {
      trouble = `the log file ${path} cannot be written (${reason}): messages are lost until it can be`;
      options.stream?.write(streamFormat({ date: new Date(), level: 'warn', message: trouble, fields: {} }));
    };
  }

  const consola = createConsola({
    level: consolaLevel(options.verbosity),
    // Repeated messages are not held back by a timer.
    throttle: 0,
    reporters: sinks(options.stream, file, lineFormat, streamFormat).map(write => ({
      log: ({ date, type, args }) => {
        const fields: Fields = args[1] ?? {};
        write({
          date,
          level: levelOf(type),
          message: redact(String(args[0])),
          fields: redactFields(fields, redact),
        });
      },
    })),
  });

  return {
    error: (message, fields) => consola.error(message, fields),
    warn: (message, fields) => consola.warn(message, fields),
    info: (message, fields) => consola.info(message, fields),
    debug: (message, fields) => consola.debug(message, fields),
    reopen: () => file?.reopen(),
    close: () => file?.close(),
    trouble: () => trouble,
    hide,
  };
}

function sinks(
  stream: LogStream | undefined,
  file: LogFile | undefined,
  lineFormat: Format,
  streamFormat: Format,
): readonly ((entry: Entry) => void)[] {
  return [
    ...(file === undefined ? [] : [(entry: Entry) => file.write(lineFormat(entry))]),
    ...(stream === undefined ? [] : [(entry: Entry) => void stream.write(streamFormat(entry))]),
  ];
}

/** https://no-color.org: set to anything but an empty word, it means no. */
function wantsColour({ NO_COLOR, TERM }: NodeJS.ProcessEnv): boolean {
  return (NO_COLOR === undefined || NO_COLOR === '') && TERM !== 'dumb';
}

/** consola has a level between our warnings and our information. */
function consolaLevel(verbosity: number): number {
  return verbosity >= VERBOSITY.info ? verbosity + 1 : verbosity;
}

function levelOf(type: string): Level {
  return type === 'error' || type === 'warn' || type === 'debug' ? type : 'info';
}

function redactFields(fields: Fields, redact: (text: string) => string): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      if (typeof value === 'string') return [name, redact(value)];
      if (typeof value === 'object') return [name, value.map(redact)];
      return [name, value];
    }),
  );
}
