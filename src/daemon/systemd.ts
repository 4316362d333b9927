import { spawn } from 'node:child_process';
import { fstatSync } from 'node:fs';
import { SECOND } from '../clock.ts';

/** Notifies the service manager that started the program (sd_notify(3)). */
type ServiceManager = {
  /** The start, or a reload, is complete. From the first call on, the watchdog is notified. */
  ready(): void;
  reloading(): void;
  /** The stop has begun. It may take as long as it needs: it has its own limit. */
  stopping(): void;
  /** Ends the notifications; nothing here keeps the process alive. */
  close(): void;
};

/** Sends assignments (`READY=1`) to the service manager; resolves when it has received them. */
type Notify = (socket: string, assignments: readonly string[]) => Promise<void>;

/** While it stops, the program asks for this much more time, and asks again long before it is over. */
const STOP_EXTENSION = 90 * SECOND;
const STOP_EXTENSION_EVERY = 30 * SECOND;
const NOTIFY_LIMIT = 10 * SECOND;
const USEC = 1_000;

/**
 * Removes systemd's variables from the environment, so that no child speaks in our name. Without systemd this does
 * nothing.
 *
 * A watchdog (`WatchdogSec=`) is notified twice per period that the event loop runs.
 */
export function takeServiceManager(
  environment: NodeJS.ProcessEnv,
  notify: Notify = systemdNotify,
): ServiceManager {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: period, WATCHDOG_PID: watched } = environment;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete environment[name];
  const watchdogPeriod = watched === undefined || Number(watched) === process.pid ? Number(period) / USEC : 0;

  const timers: NodeJS.Timeout[] = [];
  let last = Promise.resolve();
  let closed = false;
  let watching = false;

  function say(...assignments: readonly string[]): void {
    if (socket === undefined || closed) return;
    // One after the other: READY=1 must not overtake the RELOADING=1 before it.
    last = last.then(() => notify(socket, assignments));
  }

  function every(ms: number, ...assignments: readonly string[]): void {
    if (socket !== undefined && !closed) timers.push(setInterval(() => say(...assignments), ms).unref());
  }

  return {
    ready() {
      say('READY=1');
      if (watching || !(watchdogPeriod > 0)) return;
      watching = true;
      every(watchdogPeriod / 2, 'WATCHDOG=1');
    },
    reloading: () => say('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1_000n}`),
    stopping() {
      const extension = `EXTEND_TIMEOUT_USEC=${STOP_EXTENSION * USEC}`;
      say('STOPPING=1', extension);
      every(STOP_EXTENSION_EVERY, extension);
    },
    close() {
      closed = true;
      for (const timer of timers) clearInterval(timer);
    },
  };
}

/**
 * With systemd's own program, because Node has no datagram sockets of the Unix domain. It waits until systemd has read
 * the message (`NotifyAccess=all` goes by the sender's process, which must not be gone by then). If a message cannot be
 * sent, systemd notices that by itself.
 */
async function systemdNotify(socket: string, assignments: readonly string[]): Promise<void> {
  const child = spawn('systemd-notify', assignments, {
    env: { PATH: '/usr/bin:/bin', NOTIFY_SOCKET: socket },
    stdio: 'ignore',
    timeout: NOTIFY_LIMIT,
  });
  child.unref();
  await new Promise<void>(resolve => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
}

/** syslog(3). */
const PRIORITY: Readonly<Record<string, number>> = { ERROR: 3, WARN: 4, INFO: 6, DEBUG: 7 };

type Stream = { write(text: string): unknown };

/**
 * Where stderr is the journal: its lines without the time, which the journal has itself, and with the level in the form
 * that it understands (sd-daemon(3)), so that `journalctl -p warning` works. Elsewhere the stream as it is.
 */
export function forJournal<S extends Stream>(stream: S, environment: NodeJS.ProcessEnv): S | Stream {
  if (!isJournal(environment.JOURNAL_STREAM)) return stream;
  return {
    write: text =>
      stream.write(
        text.replace(/^\S+Z (ERROR|WARN|INFO|DEBUG) +/gm, (_, level: string) => `<${PRIORITY[level]}>`),
      ),
  };
}

/** `JOURNAL_STREAM` is device and inode of the journal's stream; a child's stderr may be something else by now. */
function isJournal(journalStream: string | undefined): boolean {
  if (journalStream === undefined) return false;
  try {
    const { dev, ino } = fstatSync(2);
    return journalStream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}
