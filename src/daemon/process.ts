import { readFileSync } from 'node:fs';
import path from 'node:path';
import { PROGRAM } from './self.ts';

/** A living process, as `/proc` shows it. */
export type RunningProcess = {
  readonly pid: number;
  /** Clock ticks after boot. A process id is used again, a pair of id and start time is not. */
  readonly startTime: string;
  /** Its command line, or the title that it has given itself. */
  readonly command: string;
};

/** The process with this id; undefined when there is none, or only a zombie that nobody has reaped yet. */
export function findProcess(pid: number): RunningProcess | undefined {
  const stat = readProc(pid, 'stat');
  if (stat === undefined) return undefined;
  // proc(5): `pid (name) state ...`, where the name may hold blanks and brackets; start time is the 22nd field.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  if (state === 'Z' || state === 'X') return undefined;
  return { pid, startTime: fields[19] ?? '', command: readProc(pid, 'cmdline') ?? '' };
}

/** Whether that very process is still there, and not another one of the same id. */
export function isStillThere(process: RunningProcess): boolean {
  return findProcess(process.pid)?.startTime === process.startTime;
}

/** Whether a process calls itself by our name (a keeper does not: its name ends with a colon). */
export function isBalancer({ command }: RunningProcess): boolean {
  const [name = ''] = command.split(/[\0 ]/, 1);
  return path.basename(name) === PROGRAM;
}

function readProc(pid: number, file: 'stat' | 'cmdline'): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    // Gone, or hidden from us by the mount option hidepid.
    return undefined;
  }
}
