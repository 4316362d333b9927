import { run, type Violation } from './course.ts';
import type { History } from './history.ts';
import type { Mutation } from './mutation.ts';

/**
 * A shorter history that violates the same invariant: without the troubles, the steps of the load and the neighbour that
 * do not matter. The seed stays, and with it every other chance.
 *
 * @param most how many courses it may try
 */
export async function shrink(
  history: History,
  { invariant }: Violation,
  options: { readonly mutation?: Mutation; readonly most?: number } = {},
): Promise<History> {
  let left = options.most ?? 300;
  let best = history;

  async function stillFails(candidate: History): Promise<boolean> {
    left -= 1;
    const until = (violations: readonly Violation[]) => violations.some(it => it.invariant === invariant);
    const { violations } = await run(candidate, { ...options, until });
    if (!until(violations)) return false;
    best = candidate;
    return true;
  }

  const plain = { ...best, neighbour: false, brokenBoots: 0 };
  await stillFails(plain);
  // Half of them, then a quarter, … then one by one, from the end.
  for (const key of ['troubles', 'load'] as const) {
    const keep = key === 'load' ? 1 : 0;
    for (let size = Math.ceil(best[key].length / 2); size >= 1; size = Math.floor(size / 2)) {
      for (let end = best[key].length; end > keep && left > 0; end -= size) {
        const from = Math.max(keep, end - size);
        await stillFails({ ...best, [key]: best[key].filter((_, at) => at < from || at >= end) });
      }
    }
  }
  const last = Math.max(0, ...best.troubles.map(it => it.at), ...best.load.map(it => it.from));
  await stillFails({ ...best, duration: Math.min(best.duration, last + 60_000) });
  return best;
}
