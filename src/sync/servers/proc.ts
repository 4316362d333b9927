import { readlink } from 'node:fs/promises';
import type { Rights } from '../../staging/command.ts';
import { readSmall } from '../read-small.ts';

/** What tells a process from a later one of the same id. */
export type ProcessMark = {
  readonly pid: number;
  /** Clock ticks after boot. */
  readonly startTime: string;
};

/** The real, effective and saved user ids of a process, and the rights that it has by itself. */
export type Owner = { readonly uids: readonly number[]; readonly rights: Rights };

/** Of proc(5); names of processes are short, and so are these. */
const SHORT = 16_384;

/** A living process; undefined when there is none, or only a zombie. */
export async function findMark(
  pid: number,
): Promise<(ProcessMark & { readonly parent: number }) | undefined> {
  const text = await readSmall(`/proc/${pid}/stat`, SHORT);
  if (text === undefined) return undefined;
  // `pid (name) state parent ...`, where the name may hold blanks and brackets; the start time is the 22nd field.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, parent] = fields;
  if (state === 'Z' || state === 'X') return undefined;
  return { pid, startTime: fields[19] ?? '', parent: Number(parent) };
}

/** Whether that very process is still there. */
export async function isThere({ pid, startTime }: ProcessMark): Promise<boolean> {
  return (await findMark(pid))?.startTime === startTime;
}

/** What a process calls itself. */
export async function nameOf(pid: number): Promise<string> {
  return ((await readSmall(`/proc/${pid}/comm`, SHORT)) ?? '').trimEnd();
}

/** Who owns a process; undefined when it has ended. */
export async function ownerOf(pid: number): Promise<Owner | undefined> {
  const status = await readSmall(`/proc/${pid}/status`, SHORT);
  if (status === undefined) return undefined;
  const numbers = (name: string) =>
    (new RegExp(`^${name}:([\\t 0-9]*)$`, 'm').exec(status)?.[1] ?? '')
      .split(/[\t ]/)
      .filter(Boolean)
      .map(Number);
  const uids = numbers('Uid').slice(0, 3);
  const [uid] = uids;
  // The real one: the effective one may be a setgid program's.
  const [gid] = numbers('Gid');
  if (uid === undefined || gid === undefined) return undefined;
  return { uids, rights: { uid, gid, groups: numbers('Groups') } };
}

/** The program that a process runs. */
export async function executableOf(pid: number): Promise<string> {
  return await readlink(`/proc/${pid}/exe`).catch(() => '');
}
