import { hasFailed, type State, say } from './state.ts';

/**
 * The farm lists these of the balancer's slaves. What differs from the balancer's last read or write is somebody else's
 * change, which the next decision undoes.
 *
 * @param startedAt when the reading began (monotonic ms)
 */
export function recordFarm(state: State, urls: readonly string[], startedAt: number): void {
  // A read during a change of our own may give the list before it or after it.
  if (state.running.has('write-farm') || state.listedAt >= startedAt) return;
  const change = changeIn(state.listed, urls);
  // A write that failed may have taken effect all the same, later.
  if (change !== undefined && state.stop === undefined && !hasFailed(state, 'write-farm')) {
    state.farmChange = { change, at: startedAt };
    say(
      state,
      'warn',
      `somebody else has changed the farm, which is put right: ${change}; to have GBrowse draw locally, use "gbrowse-aws-balancer pause"`,
    );
  }
  state.listed = urls;
}

/** The difference between two lists of slaves, in words; undefined when there is none. */
export function changeIn(before: readonly string[], after: readonly string[]): string | undefined {
  const out = before.filter(url => !after.includes(url));
  const added = after.filter(url => !before.includes(url));
  if (out.length + added.length === 0) {
    return before.join(' ') === after.join(' ') ? undefined : `the order is ${after.join(' ')}`;
  }
  return [
    ...(out.length > 0 ? [`${out.join(', ')} ${out.length > 1 ? 'are' : 'is'} not in use any more`] : []),
    ...(added.length > 0 ? [`${added.join(', ')} ${added.length > 1 ? 'were' : 'was'} added`] : []),
  ].join('; ');
}

/** The farm file was written. */
export function recordFarmWritten(state: State, urls: readonly string[], now: number): void {
  const slaves = urls.length === 0 ? 'no slave: GBrowse renders locally' : urls.join(' ');
  say(state, 'info', `farm: ${slaves}`);
  state.listed = urls;
  state.listedAt = now;
  state.reloadOwed = true;
}

/** Apache was told, or did not need to be; `startedAt` is when that began. */
export function recordReloaded(state: State, done: string | undefined, startedAt: number, now: number): void {
  if (done !== undefined) {
    state.reloadedAt = now;
    say(state, 'info', done);
  }
  // A change made meanwhile needs a reload of its own.
  if (state.listedAt <= startedAt) state.reloadOwed = false;
}
