import type { Socket } from 'node:net';
import { SECOND } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Report } from './report.ts';

/** What one line over the socket says instead of a report. */
export const BUSY = '{"busy":true}\n';
export const STARTING = '{"starting":true}\n';

export type StatusLimits = {
  /** At a time; what each holds is one file descriptor and a reference to the answer. */
  readonly mostClients: number;
  /** Who has not taken the answer by then (ms) is hung up on. */
  readonly patience: number;
  /** However many ask, a report is made only once in this time (ms). */
  readonly fresh: number;
};

/** More than people and monitoring need. */
const LIMITS: StatusLimits = { mostClients: 16, patience: 5 * SECOND, fresh: SECOND / 4 };

/**
 * Answers whoever connects to the lock: writes one line (the report as JSON), and hangs up. Nothing that a client sends
 * is ever read, so nothing can be asked for but this. Abstract sockets have no permissions: every user of the machine
 * may connect, and learns what `renderfarm.conf` and `ps` show as well, prices, and the balancer's messages without its
 * secrets.
 *
 * @param report undefined while there is none yet
 */
export function createStatusServer(
  report: () => Promise<Report | undefined>,
  { mostClients, patience, fresh }: StatusLimits = LIMITS,
): (socket: Socket) => void {
  let clients = 0;
  let made: { readonly at: number; readonly line: Promise<Buffer> } | undefined;

  /** All clients share the bytes. */
  function currentLine(): Promise<Buffer> {
    const now = performance.now();
    if (made === undefined || now - made.at >= fresh) {
      made = { at: now, line: report().then(lineOf, failureOf) };
    }
    return made.line;
  }

  return socket => {
    if (clients >= mostClients) {
      // So short an answer always finds room in the kernel's buffer.
      socket.end(BUSY, () => socket.destroy());
      return;
    }
    clients += 1;
    const limit = setTimeout(() => socket.destroy(), patience);
    limit.unref();
    socket.once('close', () => {
      clients -= 1;
      clearTimeout(limit);
    });
    void currentLine().then(line => {
      // Without waiting for the other end to hang up as well.
      if (!socket.destroyed) socket.end(line, () => socket.destroy());
    });
  };
}

function failureOf(error: unknown): Buffer {
  return Buffer.from(`${JSON.stringify({ error: messageOf(error) })}\n`);
}

function lineOf(report: Report | undefined): Buffer {
  return Buffer.from(report === undefined ? STARTING : `${JSON.stringify(report)}\n`);
}
