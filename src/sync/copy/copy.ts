import { constants } from 'node:fs';
import { open, readlink } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../../clock.ts';
import { failure } from '../../errors.ts';
import { duration } from '../../format/durations.ts';
import { counted } from '../../format/numbers.ts';
import { byteSize } from '../../format/sizes.ts';
import { runCommand } from '../../os/command.ts';
import type { Phases } from '../../staging/phases.ts';
import type { Report } from '../../staging/report.ts';
import type { Ssh } from '../../staging/ssh.ts';
import { isInside, type Tree } from '../plan/trees.ts';
import { bothHave, type PassEnd, type Progress, runPass } from './rsync.ts';

/** A tree that is being copied, and its target. */
export type Copying = {
  readonly tree: Tree;
  /** Its size, for the progress. */
  readonly bytes: number;
  /** The data root on the staging machine, and the place below it. */
  readonly root: string;
  readonly place: string;
  /** rsync's patterns of what is not copied. */
  readonly exclude: readonly string[];
  /** Whether the target is empty. */
  readonly isFirst: boolean;
  /** Whether it has files with several names: writing in place would mix them up. */
  readonly hardLinks: boolean;
  /** Whether it has files with holes. */
  readonly holes: boolean;
  /** Whether the file system there keeps times to the nanosecond. */
  readonly fineTimes: boolean;
};

/** What copying works with. */
export type CopyTools = {
  readonly ssh: Ssh;
  /** Of rsync, here and there. */
  readonly versions: readonly string[];
  readonly clock: Clock;
  readonly report: Report;
  readonly phases: Phases;
  readonly signal: AbortSignal;
  /** How long (ms) a broken connection is tried again. */
  readonly patience: number;
  /** Enlarges a data root that is full. */
  enlarge(root: string): Promise<void>;
};

/** The result of a pass. */
export type Copied = { readonly bytes: number; readonly files: number; readonly took: number };

/** How often in a row a connection may break without anything being sent. */
const MOST_IDLE_PASSES = 5;

/** Copies a tree whose files are at rest, or may be copied while they change. */
export async function copyTree(tools: CopyTools, copying: Copying): Promise<Copied> {
  return await passUntilDone(tools, copying, copying.tree.source, false);
}

/** Copies until it is done; reconnects when the connection breaks, and enlarges a full volume. */
async function passUntilDone(
  tools: CopyTools,
  copying: Copying,
  directory: string,
  held: boolean,
): Promise<Copied> {
  const { clock, report, phases, signal } = tools;
  const start = clock.monotonic();
  for (let idle = 0; ; ) {
    const end = await phases.time(`${copying.tree.kind}: copy`, () => pass(tools, copying, directory, held));
    switch (end.kind) {
      case 'done': {
        const took = clock.monotonic() - start;
        report.say(`  ${doneInWords(end.bytes, end.files, took)}`);
        return { bytes: end.bytes, files: end.files, took };
      }
      case 'failed':
        throw failure(`copying ${directory}: ${end.why}`);
      case 'full':
        report.say('  the volume is full and is being enlarged');
        await phases.time('enlarge the volume', () => tools.enlarge(copying.root));
        break;
      case 'broken':
        idle = end.bytes > 0 ? 0 : idle + 1;
        if (idle >= MOST_IDLE_PASSES) {
          throw failure(
            `copying ${directory}: the connection broke ${idle} times before anything was sent: ${end.why}`,
          );
        }
        report.warn(
          `the connection to the staging instance broke (${end.why}); sync connects again and continues`,
        );
        await phases.time('connect again', () => tools.ssh.connect(tools.patience, signal));
    }
  }
}

function doneInWords(bytes: number, files: number, took: number): string {
  if (files === 0) return `nothing has changed (compared in ${duration(took)})`;
  return `${byteSize(bytes)} in ${counted(files, 'file')}, ${duration(took)}`;
}

/**
 * One pass over a directory of the tree. rsync reads the directory that is opened here, whatever is at its path later:
 * the owner of a tree could replace it with a link to somebody else's.
 */
export async function pass(
  tools: CopyTools,
  copying: Copying,
  directory: string,
  held: boolean,
): Promise<PassEnd> {
  const { ssh, versions, clock, report, signal } = tools;
  const { tree, exclude, hardLinks, holes, fineTimes, isFirst, bytes } = copying;
  const isModern = bothHave('3.1.3', versions);
  const start = clock.monotonic();
  const inTree = path.relative(tree.source, directory);
  const opened = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const source = `/proc/${process.pid}/fd/${opened.fd}`;
    const real = await readlink(source);
    if (inTree === '' ? real !== directory : !isInside(real, tree.source)) {
      return { kind: 'failed', why: `somebody has put another directory in its place (${real})` };
    }
    return await runPass(
      {
        source,
        target: path.join(targetOf(copying), inTree),
        exclude: inTree === '' ? exclude : [],
        inPlace: isModern && !hardLinks,
        sparse: holes,
        // The last pass must not miss writes in the same second as the first.
        times: held ? (isModern ? 'exact' : 'checksum') : isModern && fineTimes ? 'exact' : 'seconds',
        rsh: ssh.rsh,
        host: ssh.host,
        asRoot: ssh.asRoot,
      },
      async (argv, options) => {
        const ended = await runCommand(argv, options);
        return { ...ended, stderr: ended.stderr.replaceAll(source, directory) };
      },
      progress =>
        report.progress(progressInWords(progress, isFirst ? bytes : undefined, clock.monotonic() - start)),
      signal,
    );
  } finally {
    await opened.close();
  }
}

/** Where a tree goes on the staging machine. */
export function targetOf({ root, place }: Copying): string {
  return path.join(root, place);
}

/**
 * How far a pass is.
 *
 * @param total bytes, where all of them are sent
 * @param took ms
 */
function progressInWords(progress: Progress, total: number | undefined, took: number): string {
  const rate = took > 0 ? (progress.bytes / took) * 1000 : 0;
  const sent = `${byteSize(progress.bytes)}${total === undefined ? ' sent' : ` of ${byteSize(total)}`}, ${byteSize(rate)}/s`;
  if (total !== undefined) {
    const left = rate > 0 ? (Math.max(0, total - progress.bytes) / rate) * 1000 : undefined;
    return left === undefined ? sent : `${sent}, ${duration(left)} left`;
  }
  const { toCheck, known } = progress;
  return toCheck === undefined || known === undefined
    ? sent
    : `${known - toCheck} of ${known} entries compared, ${sent}`;
}
