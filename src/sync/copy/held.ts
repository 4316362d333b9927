import path from 'node:path';
import { MINUTE } from '../../clock.ts';
import { failure } from '../../errors.ts';
import { duration } from '../../format/durations.ts';
import { shellQuoted } from '../../format/shell.ts';
import { commandFailure } from '../../os/command.ts';
import type { Report } from '../../staging/report.ts';
import { isBroken } from '../../staging/ssh.ts';
import type { Hold } from '../servers/hold.ts';
import { type Copied, type Copying, type CopyTools, copyTree, pass, targetOf } from './copy.ts';
import type { PassEnd } from './rsync.ts';

/** A running server is copied again before it is held, while a pass takes longer than this... */
const WARM_ENOUGH = MINUTE;
/** ...and at most this often. */
const MOST_WARM_PASSES = 3;
/** How often a server is held again when the connection breaks or the volume is full meanwhile. */
const MOST_HOLDS = 4;

/**
 * Copies the data of database servers: first while they run, until little is left; then, briefly, while they keep their
 * files unchanged. A server is never held for longer than one attempt, and is always released.
 *
 * @param hold holds the servers; called for each attempt, because a server that was stopped is a new process afterwards
 */
export async function copyServers(
  tools: CopyTools,
  copying: Copying,
  hold: () => Promise<readonly Hold[]>,
): Promise<Copied> {
  const { report, phases } = tools;
  let warm = await copyTree(tools, copying);
  for (let again = 1; warm.took > WARM_ENOUGH && again < MOST_WARM_PASSES; again++) {
    warm = await copyTree(tools, copying);
  }
  for (let attempt = 1; attempt <= MOST_HOLDS; attempt++) {
    const end = await holdAndCopy(tools, copying, hold);
    if (end.kind === 'done') return { bytes: end.bytes, files: end.files, took: 0 };
    if (end.kind === 'failed') throw failure(`copying ${copying.tree.source}: ${end.why}`);
    report.say(
      `  ${end.kind === 'full' ? 'the volume is full' : `the connection broke (${end.why})`}; the server is running again until the next attempt`,
    );
    if (end.kind === 'full') await phases.time('enlarge the volume', () => tools.enlarge(copying.root));
    await copyTree(tools, copying);
  }
  throw failure(
    `${copying.tree.source} could not be copied while its server was held: the connection broke ${MOST_HOLDS} times`,
  );
}

async function holdAndCopy(
  tools: CopyTools,
  copying: Copying,
  hold: () => Promise<readonly Hold[]>,
): Promise<PassEnd> {
  const { clock, phases } = tools;
  const start = clock.monotonic();
  const holds = await hold();
  const [outcome] = await Promise.allSettled([
    phases.time(`${copying.tree.kind}: while the server is held`, async () => {
      const first = await pass(tools, copying, copying.tree.source, true);
      return first.kind === 'done' ? ((await finish(tools, copying, holds)) ?? first) : first;
    }),
  ]);
  await release(holds, tools.report, () => duration(clock.monotonic() - start));
  if (outcome.status === 'rejected') throw outcome.reason;
  return outcome.value;
}

/** Releases all servers. A server that fails to restart outranks any earlier error. */
async function release(holds: readonly Hold[], report: Report, time: () => string): Promise<void> {
  const released = await Promise.allSettled(
    holds.map(async it => {
      await it.release();
      const { server, state, isDown } = it;
      const after = isDown ? '' : ', and kept serving';
      report.say(`  ${server.product} of ${server.dataDirectory} was ${state} for ${time()}${after}`);
    }),
  );
  const failed = released.find(it => it.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** Completes the copy with what the servers add to it. @returns the error, if it failed */
async function finish(
  tools: CopyTools,
  copying: Copying,
  holds: readonly Hold[],
): Promise<PassEnd | undefined> {
  const inCopy = (file: string) => path.join(targetOf(copying), path.relative(copying.tree.source, file));
  let bad: PassEnd | undefined;
  for (const it of holds) {
    const isWhole = await it.finish({
      async pass(directory) {
        const end = await pass(tools, copying, directory, true);
        if (end.kind !== 'done') bad = end;
        return end.kind === 'done';
      },
      async write(file, text) {
        const ended = await tools.ssh.script(writeScript(inCopy(file), text), { signal: tools.signal });
        if (isBroken(ended)) bad = { kind: 'broken', why: 'no answer', bytes: 0 };
        else if (ended.status !== 0) throw commandFailure(`writing ${path.basename(file)}`, ended);
        return ended.status === 0;
      },
    });
    if (!isWhole)
      return bad ?? { kind: 'failed', why: `the copy of ${it.server.dataDirectory} is not whole` };
  }
  return undefined;
}

/** Writes a file there; its owner is that of its directory. */
function writeScript(file: string, text: string): string {
  const name = shellQuoted(file);
  const encoded = Buffer.from(text).toString('base64');
  return `set -e\nbase64 -d > ${name} <<'END'\n${encoded}\nEND\nchmod 600 ${name}\nchown --reference="$(dirname ${name})" ${name}\n`;
}
