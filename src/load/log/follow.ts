import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { messageOf, systemCode } from '../../errors.ts';
import type { Logged } from '../reading.ts';
import { createRequestFilter } from './counts.ts';
import { createLineReader } from './line.ts';
import { createLineSplitter, type LineSplitter } from './split.ts';

/** How much of a log is read at a time … */
const PIECE = 256 * 1024;
/** … and how much at a reading; the rest waits for the next one. */
const MOST_AT_ONCE = 64 * 1024 * 1024;
/** The bytes before the place that was read last: they show whether a log was truncated and has grown again. */
const TAIL = 128;
/** A renamed log is read until this many readings give no new line: Apache writes to it until it is reloaded. */
const QUIET_READINGS = 12;
/** A log may be missing for a moment while it is rotated. */
const MISSING_READINGS = 2;

const LINE_FEED = 10;

/** Counts lines of an access log as they arrive. */
export type LogFollower = {
  /** Reads what is new since the last call. Never throws: the answer says what is wrong. */
  read(): Promise<Logged>;
  close(): Promise<void>;
};

/** An open file: it stays the same when it gets another name. */
type OpenLog = {
  readonly handle: FileHandle;
  readonly id: string;
  readonly splitter: LineSplitter;
  offset: number;
  tail: Buffer;
  quiet: number;
};

/**
 * Follows an access log from its end on: through rotation (by rename, by copytruncate), and when it disappears and
 * comes back, whatever the times of its lines are. A request counts when its line arrives.
 *
 * @param match counts only request lines that match
 * @param statusPath requests for this path are not counted
 */
export function followLog(file: string, statusPath: string, match?: RegExp): LogFollower {
  const reader = createLineReader();
  const verdictOf = createRequestFilter(statusPath, match);
  let requests = 0;
  let current: OpenLog | undefined;
  /** Logs that were renamed, the latest first. */
  let renamed: OpenLog[] = [];
  let isFirst = true;
  let missing = 0;

  async function openLog(fromEnd: boolean): Promise<OpenLog> {
    // A pipe without a writer would wait for one.
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) throw new Error('it is not a regular file');
      let skipsFirst = false;
      const splitter = createLineSplitter((bytes, from, until) => {
        // It is not known whether the line that was being written at our start was counted.
        if (skipsFirst) {
          skipsFirst = false;
          return;
        }
        const line = reader.readRequest(bytes, from, until);
        if (line !== undefined && verdictOf(line) === 'counts') requests++;
      });
      const offset = fromEnd ? stats.size : 0;
      const log: OpenLog = {
        handle,
        id: `${stats.dev}:${stats.ino}`,
        splitter,
        offset,
        tail: Buffer.alloc(0),
        quiet: 0,
      };
      log.tail = await tailOf(log);
      skipsFirst = log.tail.length > 0 && log.tail.at(-1) !== LINE_FEED;
      return log;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async function readNew(log: OpenLog): Promise<void> {
    const { size } = await log.handle.stat();
    if (size < log.offset || !(await tailOf(log)).equals(log.tail)) {
      log.splitter.reset();
      [log.offset, log.tail] = [0, Buffer.alloc(0)];
    }
    log.quiet = size === log.offset ? log.quiet + 1 : 0;
    const end = Math.min(size, log.offset + MOST_AT_ONCE);
    const piece = Buffer.alloc(Math.min(PIECE, Math.max(1, end - log.offset)));
    while (log.offset < end) {
      const { bytesRead } = await log.handle.read(
        piece,
        0,
        Math.min(piece.length, end - log.offset),
        log.offset,
      );
      if (bytesRead === 0) break;
      const bytes = piece.subarray(0, bytesRead);
      log.splitter.write(bytes);
      log.offset += bytesRead;
      log.tail = Buffer.concat([log.tail, bytes.subarray(-TAIL)]).subarray(-TAIL);
    }
  }

  /** Opens the log that has the name now, if it is a different one. */
  async function followName(): Promise<void> {
    const named = await stat(file);
    if (current !== undefined && current.id === `${named.dev}:${named.ino}`) return;
    const log = await openLog(isFirst);
    if (current !== undefined) renamed = [current, ...renamed];
    current = log;
  }

  async function forgetQuiet(): Promise<void> {
    const quiet = renamed.filter(log => log.quiet >= QUIET_READINGS);
    renamed = renamed.filter(log => log.quiet < QUIET_READINGS);
    await Promise.all(quiet.map(log => log.handle.close()));
  }

  return {
    async read() {
      let problem: string | undefined;
      try {
        await followName();
        missing = 0;
      } catch (error) {
        missing++;
        const isGone = systemCode(error) === 'ENOENT' && current !== undefined;
        if (!isGone || missing >= MISSING_READINGS) problem = problemOf(file, error);
      }
      isFirst = false;
      try {
        for (const log of [...renamed, ...(current === undefined ? [] : [current])]) await readNew(log);
        await forgetQuiet();
      } catch (error) {
        problem = problemOf(file, error);
      }
      return { requests, ...(problem !== undefined && { problem }) };
    },
    async close() {
      await Promise.all(
        [...renamed, ...(current === undefined ? [] : [current])].map(log => log.handle.close()),
      );
      [renamed, current] = [[], undefined];
    },
  };
}

/** The last bytes before the place that was read up to. */
async function tailOf({ handle, offset }: Pick<OpenLog, 'handle' | 'offset'>): Promise<Buffer> {
  const length = Math.min(TAIL, offset);
  if (length === 0) return Buffer.alloc(0);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, offset - length);
  return buffer.subarray(0, bytesRead);
}

/** Why a log cannot be read, and what to do. */
export function problemOf(file: string, error: unknown): string {
  const code = systemCode(error);
  if (code === 'ENOENT')
    return `${file} (load_log) is not there. Set load_log to the access log that Apache writes, and check that log rotation creates a new one`;
  if (code === 'EACCES' || code === 'EPERM')
    return `${file} (load_log): the balancer's user may not read it. On Debian the group adm may: put the user into it with "usermod -a -G adm USER" (USER as in /etc/default/gbrowse-aws-balancer), then restart the balancer`;
  return `${file} (load_log) cannot be read: ${messageOf(error)}`;
}
