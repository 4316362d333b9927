import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { uptime } from 'node:os';
import { systemCode } from '../errors.ts';

/** A process of this machine, as /proc shows it to everybody (proc(5)). */
export type Process = {
  readonly pid: number;
  readonly parent: number;
  /** The name of its program, at most 15 characters. */
  readonly name: string;
  readonly args: readonly string[];
  /** When it was started, in the kernel's unit: with the id, what no other process has. */
  readonly startTicks: number;
  /** When it was started: ms since 1970, to 10 ms, by the clock as it is now. */
  readonly startedAt: number;
};

/** The unit of times in /proc/PID/stat: 1/100 s on every Linux. */
const TICK = 10;

/** The text of a file of /proc; undefined where the process has ended, or is not ours to look into. */
async function procFile(pid: number, name: string): Promise<string | undefined> {
  try {
    return await readFile(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return undefined;
  }
}

/** One process; undefined when there is none of that id. */
export async function processOf(pid: number): Promise<Process | undefined> {
  const [stat, commandLine] = await Promise.all([procFile(pid, 'stat'), procFile(pid, 'cmdline')]);
  // The name may have blanks and parentheses in it; the fields after the last ")" are the state, the parent, …
  const [, name, rest] = /^\d+ \((.*)\) (.*)/s.exec(stat ?? '') ?? [];
  if (name === undefined || rest === undefined || commandLine === undefined) return undefined;
  const fields = rest.split(' ');
  const startTicks = Number(fields[19]);
  return {
    pid,
    parent: Number(fields[1]),
    name,
    args: commandLine.replace(/\0$/, '').split('\0'),
    startTicks,
    startedAt: Date.now() - uptime() * 1000 + startTicks * TICK,
  };
}

/** Every process of this machine. */
export async function allProcesses(): Promise<Map<number, Process>> {
  const names = await readdir('/proc');
  const found = await Promise.all(
    names.filter(name => /^\d+$/.test(name)).map(name => processOf(Number(name))),
  );
  return new Map(found.flatMap(process => (process === undefined ? [] : [[process.pid, process] as const])));
}

/** Whether a process is that user's in every respect: real, effective and saved user id. */
export async function belongsTo(pid: number, uid: number): Promise<boolean> {
  const [, ids] = /^Uid:\s+(\d+\s+\d+\s+\d+)/m.exec((await procFile(pid, 'status')) ?? '') ?? [];
  return ids?.split(/\s+/).every(id => Number(id) === uid) ?? false;
}

/** Whether a process sees that very file under that path; it does not where it runs in a container of its own. */
export async function seesFile(pid: number, path: string): Promise<boolean> {
  try {
    const [here, there] = await Promise.all([stat(path), stat(`/proc/${pid}/root${path}`)]);
    return here.dev === there.dev && here.ino === there.ino;
  } catch (error) {
    return systemCode(error) !== 'ENOENT';
  }
}

/** Whether a shared library is in a process's memory; undefined when we may not look. */
export async function hasMapped(pid: number, library: RegExp): Promise<boolean | undefined> {
  const maps = await procFile(pid, 'maps');
  return maps === undefined ? undefined : library.test(maps);
}

/** A process's environment; undefined when we may not look. */
export async function environmentOf(pid: number): Promise<Record<string, string> | undefined> {
  const text = await procFile(pid, 'environ');
  if (text === undefined) return undefined;
  const entries = text.split('\0').flatMap(entry => {
    const at = entry.indexOf('=');
    return at > 0 ? [[entry.slice(0, at), entry.slice(at + 1)] as const] : [];
  });
  return Object.fromEntries(entries);
}

/** The file of a process's program; undefined when we may not look. */
export async function programOf(pid: number): Promise<string | undefined> {
  const path = await readlink(`/proc/${pid}/exe`).catch(() => undefined);
  // A package upgrade has put a new file there, under the same name.
  return path?.replace(/ \(deleted\)$/, '');
}

/** Whether a process's standard input is a socket that waits for connections; undefined when we may not look. */
export async function listensOnStdin(pid: number): Promise<boolean | undefined> {
  let link: string;
  try {
    link = await readlink(`/proc/${pid}/fd/0`);
  } catch (error) {
    return systemCode(error) === 'EACCES' || systemCode(error) === 'EPERM' ? undefined : false;
  }
  const [, inode] = /^socket:\[(\d+)\]$/.exec(link) ?? [];
  if (inode === undefined) return false;
  const [unix = '', tcp = '', tcp6 = ''] = await Promise.all(
    ['net/unix', 'net/tcp', 'net/tcp6'].map(name => procFile(pid, name)),
  );
  // unix: "Num RefCount Protocol Flags Type St Inode Path"; __SO_ACCEPTCON is 0x10000.
  const listensOnUnix = unix.split('\n').some(line => {
    const fields = line.trim().split(/\s+/);
    return fields[6] === inode && (Number.parseInt(fields[3] ?? '', 16) & 0x10000) !== 0;
  });
  // tcp: "sl local_address rem_address st … inode"; state 0A is LISTEN.
  const listensOnTcp = `${tcp}\n${tcp6}`.split('\n').some(line => {
    const fields = line.trim().split(/\s+/);
    return fields[9] === inode && fields[3] === '0A';
  });
  return listensOnUnix || listensOnTcp;
}
