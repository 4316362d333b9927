import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { systemCode } from '../errors.ts';
import { readBeginning } from './read-beginning.ts';

/** A process of this machine, as `/proc/PID/stat` shows it to everybody (proc(5)). */
export type RunningProcess = {
  readonly pid: number;
  readonly parent: number;
  /** The name of its program, at most 15 bytes. */
  readonly name: string;
  /** Clock ticks after boot. A process id is used again, a pair of id and start time is not. */
  readonly startTime: string;
};

/** User ids of a process. Only if all three are the same, that user alone decides what it does. */
type ProcessUids = { readonly real: number; readonly effective: number; readonly saved: number };

/** More of a command line than this (bytes) is not read: the user who starts the process chooses its length. */
const COMMAND_LINE_LIMIT = 4096;
/** Other files of `/proc`; a longer one is cut off here (bytes). */
const FILE_LIMIT = 4 * 1024 * 1024;

/**
 * The beginning of a file in `/proc/PID`, one character per byte; undefined where the process has ended, or is hidden
 * from us.
 *
 * @param limit bytes
 */
export function readProcessFile(pid: number, name: string, limit: number = FILE_LIMIT): string | undefined {
  return readBeginning(`/proc/${pid}/${name}`, limit);
}

/** The process in a text of `/proc/PID/stat`; undefined for a zombie, which only waits for its parent. */
export function processIn(text: string): RunningProcess | undefined {
  // `pid (name) state parent …`: the name may hold blanks and brackets; the start time is the 22nd field.
  const opening = text.indexOf('(');
  const closing = text.lastIndexOf(')');
  if (opening < 0 || closing < opening) return undefined;
  const fields = text.slice(closing + 2).split(' ');
  const [state = '', parent = ''] = fields;
  if (state === 'Z' || state === 'X') return undefined;
  return {
    pid: Number(text.slice(0, opening)),
    parent: Number(parent),
    name: text.slice(opening + 1, closing),
    startTime: fields[19] ?? '',
  };
}

/** The process with this id; undefined when there is none, or only a zombie. */
export function findProcess(pid: number): RunningProcess | undefined {
  return processIn(readProcessFile(pid, 'stat', COMMAND_LINE_LIMIT) ?? '');
}

/** Every process of this machine, by its id. */
export function allProcesses(): Map<number, RunningProcess> {
  const found = new Map<number, RunningProcess>();
  for (const name of readdirSync('/proc')) {
    const process = /^\d+$/.test(name) ? findProcess(Number(name)) : undefined;
    if (process !== undefined) found.set(process.pid, process);
  }
  return found;
}

/** Whether that very process is still there, not another one with the same id. */
export function isStillThere(process: RunningProcess): boolean {
  return findProcess(process.pid)?.startTime === process.startTime;
}

/** The arguments of a process, or the title that it has given itself, up to 4 kB; empty when it is hidden from us. */
export function commandLineOf(pid: number): readonly string[] {
  const text = readProcessFile(pid, 'cmdline', COMMAND_LINE_LIMIT) ?? '';
  return text === '' ? [] : text.replace(/\0$/, '').split('\0');
}

/** The user ids of a process; undefined when it has ended. */
export function uidsOf(pid: number): ProcessUids | undefined {
  const text = readProcessFile(pid, 'status') ?? '';
  const [, real, effective, saved] = /^Uid:\t(\d+)\t(\d+)\t(\d+)/m.exec(text) ?? [];
  if (saved === undefined) return undefined;
  return { real: Number(real), effective: Number(effective), saved: Number(saved) };
}

/**
 * The user, group and further groups that a process was given, whatever its program adds to them; undefined when it has
 * ended.
 */
export function realIdsOf(
  pid: number,
): { readonly uid: number; readonly gid: number; readonly groups: readonly number[] } | undefined {
  const text = readProcessFile(pid, 'status') ?? '';
  const ids = (name: string) =>
    (new RegExp(`^${name}:([\\t 0-9]*)$`, 'm').exec(text)?.[1] ?? '')
      .split(/[\t ]/)
      .filter(Boolean)
      .map(Number);
  const [[uid], [gid], groups] = [ids('Uid'), ids('Gid'), ids('Groups')];
  return uid === undefined || gid === undefined ? undefined : { uid, gid, groups };
}

/** Whether a process is that user's in every respect. */
export function belongsTo(pid: number, uid: number): boolean {
  const uids = uidsOf(pid);
  return uids !== undefined && Object.values(uids).every(id => id === uid);
}

/** When a process was started: ms since 1970, to 10 ms, by the clock as it is now. */
export function startOf({ startTime }: RunningProcess): number {
  const uptime = Number(readFileSync('/proc/uptime', 'latin1').split(' ', 1)[0]);
  // A tick is 1/100 s on every Linux.
  return Date.now() - uptime * 1000 + Number(startTime) * 10;
}

/** The file of a process's program, also where an upgrade has replaced it; undefined when we may not know it. */
export function programOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, '');
  } catch {
    return undefined;
  }
}

/** The environment of a process; undefined when we may not look. */
export function environmentOf(pid: number): Record<string, string> | undefined {
  const text = readProcessFile(pid, 'environ');
  if (text === undefined) return undefined;
  const entries = text.split('\0').flatMap(entry => {
    const at = entry.indexOf('=');
    return at > 0 ? [[entry.slice(0, at), entry.slice(at + 1)] as const] : [];
  });
  return Object.fromEntries(entries);
}

/** Whether a process sees that very file under that path; one in a container may not. */
export function seesFile(pid: number, file: string): boolean {
  try {
    const [here, there] = [statSync(file), statSync(`/proc/${pid}/root${file}`)];
    return here.dev === there.dev && here.ino === there.ino;
  } catch (error) {
    return systemCode(error) !== 'ENOENT';
  }
}

/** What a process has open (`socket:[INODE]`, a path), by the number of the descriptor; undefined when we may not look. */
export function openFilesOf(pid: number): ReadonlyMap<number, string> | undefined {
  let names: string[];
  try {
    names = readdirSync(`/proc/${pid}/fd`);
  } catch {
    return undefined;
  }
  const found = new Map<number, string>();
  for (const name of names) {
    try {
      found.set(Number(name), readlinkSync(`/proc/${pid}/fd/${name}`));
    } catch {
      // It was closed meanwhile.
    }
  }
  return found;
}
