import { readProcessFile } from './process.ts';

/** A socket of the Unix domain, as `/proc/net/unix` shows it to everybody (proc(5)). */
type UnixSocket = {
  /** What `/proc/PID/fd` calls it: `socket:[INODE]`. "0" for a connection that nobody has accepted yet. */
  readonly inode: string;
  readonly listens: boolean;
  /**
   * The name that it was bound to, which another user may have chosen; an abstract name begins with "@". Empty when it
   * has none.
   */
  readonly path: string;
};

/** The flag __SO_ACCEPTCON of a socket that listens. */
const LISTENS = 0x10000;
const LINE = /^\S+: \S+ \S+ ([\dA-Fa-f]+) \S+ \S+ +(\d+)(?: (.*))?$/;

/** The sockets in a text of `/proc/net/unix`: `Num RefCount Protocol Flags Type St Inode Path`. */
export function unixSocketsIn(text: string): readonly UnixSocket[] {
  return text.split('\n').flatMap(line => {
    const [, flags, inode, path = ''] = LINE.exec(line) ?? [];
    if (flags === undefined || inode === undefined) return [];
    return [{ inode, listens: (Number.parseInt(flags, 16) & LISTENS) !== 0, path }];
  });
}

/** The table of the sockets in the network namespace of a process, of which other users choose the length: 4 MiB at most. */
export function unixSocketTable(pid: number): string {
  return Buffer.from(readProcessFile(pid, 'net/unix') ?? '', 'latin1').toString('utf8');
}

/** The sockets of the network namespace that a process is in. */
export function unixSocketsSeenBy(pid: number): readonly UnixSocket[] {
  return unixSocketsIn(unixSocketTable(pid));
}
