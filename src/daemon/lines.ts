import type { Duplex } from 'node:stream';

/** Longest line (bytes): ours hold at most a farm file or a configuration. */
const LONGEST_LINE = 4 * 1024 * 1024;

type LineOptions = {
  /** Gets each line as JSON. */
  onMessage(message: unknown): void;
  /** The other side has closed, or has sent a line that is too long. Called once. */
  onEnd(): void;
  /** No more is read while this many messages are not done yet (`done`). Unset: no limit. */
  readonly most?: number;
};

export type Lines = {
  /** @param sent called when the message has left this process, or never will */
  send(message: object, sent?: () => void): void;
  /** Call it when a message has been handled. */
  done(): void;
  close(): void;
};

/**
 * Messages between two of our processes, one line of JSON each. Unlike Node's own channel, which accepts lines of any
 * length and number, and open files, this takes bounded memory, whatever the other side sends.
 */
export function overLines(stream: Duplex, { onMessage, onEnd, most = Infinity }: LineOptions): Lines {
  let parts: Buffer[] = [];
  /** Of `parts`, in bytes. */
  let length = 0;
  let pending = 0;
  let isTaking = false;
  let isEnded = false;

  function end(): void {
    if (isEnded) return;
    isEnded = true;
    parts = [];
    stream.destroy();
    onEnd();
  }

  function take(): void {
    if (isTaking) return;
    isTaking = true;
    let rest = Buffer.concat(parts);
    while (!isEnded && pending < most) {
      const at = rest.indexOf('\n');
      if (at < 0) break;
      const line = rest.subarray(0, at);
      rest = rest.subarray(at + 1);
      const message = parsed(line);
      if (message === undefined) continue;
      pending += 1;
      onMessage(message);
    }
    parts = rest.length === 0 ? [] : [Buffer.from(rest)];
    length = rest.length;
    isTaking = false;
    if (pending >= most) stream.pause();
    else stream.resume();
  }

  stream.on('data', (chunk: Buffer) => {
    if (isEnded) return;
    parts.push(chunk);
    length += chunk.length;
    if (chunk.includes('\n')) take();
    else if (length > LONGEST_LINE) end();
  });
  stream.once('end', end).once('close', end);
  stream.on('error', end);

  return {
    send(message, sent = () => {}) {
      if (isEnded) sent();
      else stream.write(`${JSON.stringify(message)}\n`, () => sent());
    },
    done() {
      pending -= 1;
      if (!isEnded && pending === most - 1) take();
    },
    close: () => stream.destroy(),
  };
}

function parsed(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString('utf8'));
  } catch {
    return undefined;
  }
}
