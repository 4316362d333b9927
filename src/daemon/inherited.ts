import { closeSync, readFileSync } from 'node:fs';
import { openFilesOf } from '../os/process.ts';

/** fcntl.h, in the octal digits of /proc/PID/fdinfo. */
const O_CLOEXEC = 0o2000000;

/**
 * Closes files that the caller's shell had open and passed on: a daemon that kept them would hold a lock (`flock 200`),
 * keep a reader waiting for the end of a pipe, or have one of root's files open as another user. Call this before
 * anything else is opened.
 *
 * Everything that Node opens is close-on-exec, and so it marks what it inherits, up to the first gap in the numbers.
 * Therefore files, sockets and pipes count as inherited whatever they are marked as: Node itself has none at its start,
 * but for pipes with both ends in this process, and a channel to the process that started it.
 */
export function closeInheritedFiles(): void {
  const open = openFilesOf(process.pid) ?? new Map<number, string>();
  const ends = Map.groupBy(
    [...open].filter(([fd]) => fd > 2),
    ([, target]) => target,
  );
  const hasChannel = process.send !== undefined;
  for (const [fd, target] of open) {
    if (fd <= 2) continue;
    const isForeign =
      (target.startsWith('/') && target !== '/dev/null') ||
      (target.startsWith('socket:') && !hasChannel) ||
      (target.startsWith('pipe:') && ends.get(target)?.length === 1);
    if (isForeign || isUnmarked(fd)) closeQuietly(fd);
  }
}

function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // The descriptor through which the directory was read.
  }
}

function isUnmarked(fd: number): boolean {
  try {
    const [, flags = ''] = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')) ?? [];
    return flags !== '' && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0;
  } catch {
    return false;
  }
}
