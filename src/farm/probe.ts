import { connect, type Socket } from 'node:net';
import { SECOND } from '../clock.ts';
import type { Probe } from './farm.ts';

const STATUS_LINE = /^HTTP\/\d+(\.\d+)? [1-5]\d\d\b/;
/** A status line is a few dozen bytes; what has none among so many is not HTTP. */
const LONGEST_STATUS_LINE = 512;
/** How long a slave that has answered is given to close the connection. */
const CLOSING = 1 * SECOND;

/**
 * The slave closes the connection first, as is HTTP/1.0's way: so the traces of it (TIME_WAIT) are on the slave, whose
 * orphan guard goes by them. Afterwards nothing of it keeps this process alive.
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

function answers(host: string, port: number, timeLimit: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host, port, allowHalfOpen: true });
    let head = '';
    function decide(answered: boolean): void {
      clearTimeout(timer);
      if (answered) leaveToServer(socket);
      else socket.destroy();
      resolve(answered);
    }
    const timer = setTimeout(() => decide(false), timeLimit);
    socket.on('error', () => decide(false));
    socket.on('connect', () => socket.write(`HEAD / HTTP/1.0\r\nHost: ${host}:${port}\r\n\r\n`));
    socket.on('end', () => decide(STATUS_LINE.test(head)));
    socket.on('data', (chunk: Buffer) => {
      head += chunk.toString('latin1');
      if (STATUS_LINE.test(head)) decide(true);
      else if (head.length > LONGEST_STATUS_LINE) decide(false);
    });
  });
}

/**
 * Asks each port of a slave for `HEAD /`. `gbrowse_slave` says 403 within some milliseconds; any status will do.
 *
 * @param timeLimit ms for all of it, the connection included
 */
export function createProbe(timeLimit: number): Probe {
  return async (address, ports) => {
    const all = await Promise.allSettled(ports.map(port => answers(address, port, timeLimit)));
    return all.every(one => one.status === 'fulfilled' && one.value);
  };
}
