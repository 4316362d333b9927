import { closeSync, readdirSync, readFileSync } from 'node:fs';

/** fcntl.h, in the octal digits of /proc/PID/fdinfo. */
const O_CLOEXEC = 0o2000000;

/**
 * Closes files that the caller's shell had open and passed on: a daemon that kept them would hold a lock (`flock 200`)
 * or keep somebody waiting for the end of a pipe for as long as it lives. Everything that Node opens is close-on-exec,
 * and so it marks what it inherits, up to the first gap in the numbers.
 */
export function closeInheritedFiles(): void {
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name);
    if (fd > 2 && isInherited(fd)) closeSync(fd);
  }
}

function isInherited(fd: number): boolean {
  try {
    const [, flags = ''] = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')) ?? [];
    return flags !== '' && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0;
  } catch {
    // It was the one that the directory was read through.
    return false;
  }
}
