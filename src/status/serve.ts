import type { Socket } from 'node:net';
import { SECOND } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Report } from './report.ts';

/** The line over the socket instead of a report. */
export const BUSY = '{"busy":true}\n';
const STARTING = '{"starting":true}\n';

export type StatusLimits = {
  /** Clients at a time; each costs one file descriptor and a reference to the answer. */
  readonly mostClients: number;
  /** How long (ms) a client may take to read the answer; then it is disconnected. */
  readonly patience: number;
  /** A report is made at most once in this time (ms), however many clients ask. */
  readonly fresh: number;
};

/** More than people and monitoring need. */
const LIMITS: StatusLimits = { mostClients: 16, patience: 5 * SECOND, fresh: SECOND / 4 };

/**
 * Answers every client that connects to the lock: writes one line (the report as JSON), and disconnects. Nothing that a
 * client sends is ever read, so it cannot ask for anything else. Abstract sockets have no permissions: every user of
 * the machine may connect, and learns what `renderfarm.conf` and `ps` show as well, prices, and the balancer's messages
 * without its secrets.
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
      // Such a short answer always fits into the kernel's buffer.
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
      // Without waiting for the other end to disconnect as well.
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
