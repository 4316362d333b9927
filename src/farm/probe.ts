import { connect, type Socket } from 'node:net';
import { SECOND } from '../clock.ts';
import { systemCode } from '../errors.ts';
import { SLAVE_TOKEN } from '../spot/user-data.ts';
import type { Probe, ProbeAnswer } from './farm.ts';
import { figuresOf, type SlaveFigures } from './slave-figures.ts';

const STATUS_LINE = /^HTTP\/\d+(\.\d+)? [1-5]\d\d\b/;
/** A `gbrowse_slave` that does not know our slaves' token: the image's own, or one whose data are missing. */
const NOT_OURS = new RegExp(`^HTTP/[\\d.]+ 403 REQUEST DATASOURCE: ${SLAVE_TOKEN}\\b`);
/** The header of a slave's answer has some hundred bytes; no more than this is read. */
const LONGEST_HEADER = 2048;
const END_OF_HEADER = /\r?\n\r?\n/;
/** How long a slave that has answered is given to close the connection. */
const CLOSING = 1 * SECOND;
/** A timer that is this late shows that this process did not run: an answer may have come without being read. */
const STALLED = 1 * SECOND;

/** Errors of connect(2), read(2) and write(2) that the other side causes; all others are this machine's own trouble. */
const BY_CODE: Readonly<Record<string, ProbeAnswer>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'refused',
  ECONNABORTED: 'refused',
  EPIPE: 'refused',
  ETIMEDOUT: 'dark',
  EHOSTUNREACH: 'dark',
  EHOSTDOWN: 'dark',
};

/** What an error of a connection to a slave says about the slave. */
export function answerOfError(error: unknown): ProbeAnswer {
  return BY_CODE[systemCode(error) ?? ''] ?? 'unknown';
}

/**
 * The combined result of a slave's ports. One process that is gone decides, whatever the other ports do; a host with
 * one live port is not dark.
 */
export function combined(answers: readonly ProbeAnswer[]): ProbeAnswer {
  const order: readonly ProbeAnswer[] = ['refused', 'unknown', 'silent', 'dark', 'answered'];
  const worst = order.find(it => answers.includes(it)) ?? 'unknown';
  return worst === 'dark' && answers.includes('answered') ? 'silent' : worst;
}

/**
 * Lets the slave close the connection first, as HTTP/1.0 does: then its trace (TIME_WAIT) is on the slave, whose orphan
 * guard looks for it. A connection that is being closed does not keep this process alive.
 */
function leaveToServer(socket: Socket): void {
  socket.removeAllListeners('data').removeAllListeners('end');
  socket.resume();
  socket.once('end', () => socket.end());
  const timer = setTimeout(() => socket.destroy(), CLOSING);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
  socket.unref();
}

/** What the first line of an answer says. */
function judge(head: string): ProbeAnswer {
  return STATUS_LINE.test(head) && !NOT_OURS.test(head) ? 'answered' : 'refused';
}

type Asked = { readonly answer: ProbeAnswer; readonly figures?: SlaveFigures };

function ask(host: string, port: number, timeLimit: number): Promise<Asked> {
  return new Promise(resolve => {
    const startedAt = performance.now();
    const socket = connect({ host, port, allowHalfOpen: true });
    let head = '';
    function decide(answer: ProbeAnswer): void {
      clearTimeout(timer);
      if (answer === 'answered') leaveToServer(socket);
      else socket.destroy();
      const figures = answer === 'answered' ? figuresOf(head) : undefined;
      resolve({ answer, ...(figures !== undefined && { figures }) });
    }
    const timer = setTimeout(() => {
      if (head.includes('\n')) return decide(judge(head));
      const stalled = performance.now() - startedAt > timeLimit + STALLED;
      decide(stalled ? 'unknown' : socket.connecting ? 'dark' : 'silent');
    }, timeLimit);
    socket.on('error', error => decide(answerOfError(error)));
    socket.on('connect', () =>
      socket.write(`GET /?data_name=${SLAVE_TOKEN} HTTP/1.0\r\nHost: ${host}:${port}\r\n\r\n`),
    );
    socket.on('end', () => decide(judge(head)));
    socket.on('data', (chunk: Buffer) => {
      head += chunk.toString('latin1', 0, LONGEST_HEADER);
      if (END_OF_HEADER.test(head) || head.length >= LONGEST_HEADER) decide(judge(head));
    });
  });
}

/**
 * Asks each port of a slave for the token that user-data gives to our slaves once their data are mounted: they say 400
 * within some milliseconds. Any status counts (a proxy's, an old slave's), except that of a `gbrowse_slave` without the
 * token.
 *
 * @param timeLimit ms for all of it, the connection included
 * @param hear is told what a slave says of itself beside
 */
export function createProbe(
  timeLimit: number,
  hear: (address: string, figures: SlaveFigures) => void = () => {},
): Probe {
  return async (address, ports) => {
    const all = await Promise.allSettled(ports.map(port => ask(address, port, timeLimit)));
    const asked = all.map((one): Asked => (one.status === 'fulfilled' ? one.value : { answer: 'unknown' }));
    const figures = asked.find(it => it.figures !== undefined)?.figures;
    if (figures !== undefined) hear(address, figures);
    return combined(asked.map(it => it.answer));
  };
}
