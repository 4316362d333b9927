import { setTimeout as timer } from 'node:timers/promises';
import type { ReadStream, WriteStream } from 'node:tty';

/** A terminal whose whole screen is redrawn repeatedly. */
export type Screen = {
  /** Draws these lines; what has no room at the bottom is not shown. */
  draw(lines: readonly string[]): void;
  /** Aborts when the user has seen enough (Ctrl-C, q) or the terminal is gone. */
  readonly left: AbortSignal;
  /** Aborts when the terminal has another size; a new one after each. */
  resized(): AbortSignal;
  /** Restores the terminal. */
  close(): void;
};

const CTRL_C = '\x03';
const CTRL_D = '\x04';

/** xterm, and whatever calls itself a terminal today: the other screen and back, the cursor off and on. */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[H\x1b[J';
const LEAVE = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const CLEAR_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';
/** A line that is too long is cut off instead of wrapped. */
const NO_WRAP = '\x1b[?7l';
const WRAP = '\x1b[?7h';

/** Takes the terminal's other screen. Whatever ends the program, the terminal is as before then. */
export function openScreen(output: WriteStream, input: ReadStream | undefined): Screen {
  const left = new AbortController();
  let resize = new AbortController();
  let closed = false;

  const leave = () => left.abort('left');
  const onKeys = (keys: string) => {
    if (keys.includes(CTRL_C) || keys.includes(CTRL_D) || /q/i.test(keys)) leave();
  };
  const onResize = () => {
    resize.abort('resized');
    resize = new AbortController();
  };
  function close(): void {
    if (closed) return;
    closed = true;
    output.write(WRAP + LEAVE);
    input?.setRawMode(false).pause().off('data', onKeys);
    output.off('resize', onResize);
    for (const signal of SIGNALS) process.off(signal, leave);
    process.off('exit', close);
  }

  output.write(ENTER);
  input?.setRawMode(true).setEncoding('utf8').on('data', onKeys).resume();
  // The terminal was closed.
  input?.once('end', leave);
  input?.once('error', leave);
  output.once('error', leave);
  output.on('resize', onResize);
  for (const signal of SIGNALS) process.on(signal, leave);
  process.on('exit', close);

  return {
    draw(lines) {
      const rows = Math.max(1, output.rows || 24);
      const shown = lines.length <= rows ? lines : [...lines.slice(0, rows - 1), '...'];
      // In one piece: no flicker. Each line is cleared before it is written: behind a line of full width the cursor
      // stands on its last character.
      const last = shown.length - 1;
      const cleared = shown.map((line, at) => (at < last ? CLEAR_LINE : CLEAR_BELOW) + line);
      output.write(NO_WRAP + HOME + (shown.length === 0 ? CLEAR_BELOW : cleared.join('\r\n')));
    },
    left: left.signal,
    resized: () => resize.signal,
    close,
  };
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/** Waits for so many ms, or until one of the signals aborts. */
export async function pause(ms: number, ...signals: readonly AbortSignal[]): Promise<void> {
  const signal = AbortSignal.any([...signals]);
  await timer(ms, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
