import { type CommandOptions, type Ended, lastWords } from '../../os/command.ts';
import { isBroken } from '../../staging/ssh.ts';

/** One pass of rsync. */
export type Pass = {
  /** A directory; its contents are copied. */
  readonly source: string;
  /** A directory of the staging machine. */
  readonly target: string;
  /** rsync's patterns of what is not copied. */
  readonly exclude?: readonly string[];
  /** Whether only the changed blocks of a file are written, so that the snapshot stores little. */
  readonly inPlace: boolean;
  /** Whether zeros become holes; finding them takes time. */
  readonly sparse: boolean;
  /** How a changed file is recognised: by size and time to the second or to the nanosecond, or by its contents. */
  readonly times: 'seconds' | 'exact' | 'checksum';
  readonly rsh: string;
  readonly host: string;
  readonly asRoot: string;
};

/** How far a pass is. */
export type Progress = {
  /** What was sent. */
  readonly bytes: number;
  /** Files that were sent. */
  readonly files: number;
  /** Files still to be compared, and all that are known so far. */
  readonly toCheck?: number;
  readonly known?: number;
};

/**
 * The command line of a pass: archive mode with hard links, ACLs and extended attributes, holes, owners by number,
 * and deletions.
 */
export function rsyncArguments(pass: Pass): readonly string[] {
  const { source, target, exclude = [], inPlace, sparse, times, rsh, host, asRoot } = pass;
  return [
    'rsync',
    '-aHAX',
    ...(sparse ? ['--sparse'] : []),
    '--numeric-ids',
    '--delete',
    ...(inPlace ? ['--inplace'] : ['--partial']),
    ...TIMES[times],
    '--no-h',
    '--info=progress2',
    '--outbuf=L',
    `--timeout=${SILENCE}`,
    ...exclude.map(it => `--exclude=${it}`),
    `--rsync-path=${asRoot}rsync`,
    '-e',
    rsh,
    `${source}/`,
    `${host}:${target}/`,
  ];
}

/** Seconds: a remote end that says nothing for so long is gone, whatever ssh reports. */
const SILENCE = 1800;

const TIMES = { seconds: [], exact: ['--modify-window=-1'], checksum: ['--checksum'] } as const;

/** Reads a line of `--info=progress2`: bytes, percent, rate, time, and in brackets files sent, files to check. */
export function parseProgress(line: string): Progress | undefined {
  const match = /^\s*(\d+)\s+\d+%\s+\S+\s+\S+(?:\s+\(xfr#(\d+), (?:ir|to)-chk=(\d+)\/(\d+)\))?/.exec(line);
  if (match === null) return undefined;
  const [, bytes, files, toCheck, known] = match;
  return {
    bytes: Number(bytes),
    files: Number(files ?? 0),
    ...(toCheck !== undefined && { toCheck: Number(toCheck), known: Number(known) }),
  };
}

/** How a pass ended. */
export type PassEnd =
  | { readonly kind: 'done'; readonly bytes: number; readonly files: number }
  /** The connection broke; what is there is kept. */
  | { readonly kind: 'broken'; readonly why: string; readonly bytes: number }
  /** The volume is full. */
  | { readonly kind: 'full' }
  | { readonly kind: 'failed'; readonly why: string };

/** rsync(1), "EXIT VALUES": errors of the protocol and of pipes, which a broken connection causes. */
const CONNECTION = [10, 12, 20, 30, 35];
const VANISHED = 24;

/** What an ended rsync means. */
export function endOf(ended: Ended, last: Progress | undefined): PassEnd {
  if (ended.status === 0 || ended.status === VANISHED) {
    return { kind: 'done', bytes: last?.bytes ?? 0, files: last?.files ?? 0 };
  }
  if (/No space left on device|Disk quota exceeded/.test(ended.stderr)) return { kind: 'full' };
  const why = lastWords(ended.stderr, 3) || `rsync ended with status ${ended.status}`;
  if (isBroken(ended) || ended.status === null || CONNECTION.includes(ended.status))
    return { kind: 'broken', why, bytes: last?.bytes ?? 0 };
  return { kind: 'failed', why };
}

/**
 * Runs a pass.
 *
 * @param run how a program is run
 */
export async function runPass(
  pass: Pass,
  run: (argv: readonly string[], options: CommandOptions) => Promise<Ended>,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<PassEnd> {
  let last: Progress | undefined;
  let rest = '';
  const ended = await run(rsyncArguments(pass), {
    signal,
    onOutput: text => {
      const lines = (rest + text).split(/[\r\n]/);
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const progress = parseProgress(line);
        if (progress === undefined) continue;
        last = progress;
        onProgress(progress);
      }
    },
  });
  return endOf(ended, last);
}

/** Whether both ends have an rsync at least as new as this: `3.1.3`. */
export function bothHave(wanted: string, versions: readonly string[]): boolean {
  return versions.every(version => compare(version, wanted) >= 0);
}

function compare(a: string, b: string): number {
  const [left, right] = [a, b].map(text => text.split('.').map(Number));
  for (const at of [0, 1, 2]) {
    const difference = (left?.[at] ?? 0) - (right?.[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
