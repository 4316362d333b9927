import { permitted } from '../policy/pacing.ts';
import { type Renewal, renew } from '../policy/renewal.ts';
import type { Situation } from '../policy/scale.ts';
import { leave, outOfDate } from './members.ts';
import { resolved, type State, say, sayOnce } from './state.ts';

/** What the renewal of the farm calls for now. */
export function renewalOf(state: State, situation: Situation, now: number): Renewal {
  const { renewal, pace } = state;
  return renew({
    ...situation,
    ...(renewal !== undefined && { size: renewal.size }),
    // Failures from before it began are not the new slaves' fault.
    trusted: renewal === undefined || pace.failedBoots <= renewal.failedBoots,
    mayLaunch: state.plan !== undefined && permitted(pace, 1, situation.ceiling, now).count > 0,
  });
}

/**
 * Replaces the slaves that were made from other data, or another image, than the configuration names.
 *
 * @returns how many to launch for it
 */
export function decideRenewal(state: State, situation: Situation, now: number): number {
  const { renewal, pace } = state;
  const { size, launch, release } = renewalOf(state, situation, now);
  if (size === undefined) {
    if (renewal === undefined) return 0;
    delete state.renewal;
    state.said.delete('renewal');
    resolved(state, 'renewing', 'the farm is renewed: every slave has the data and the image of now');
    return 0;
  }
  const failedBoots = Math.min(renewal?.failedBoots ?? pace.failedBoots, pace.failedBoots);
  state.renewal = { size, failedBoots };
  sayProgress(state, situation);
  for (const id of release) {
    const member = state.members.get(id);
    const reason = member && outOfDate(state, member.slave);
    if (reason !== undefined) leave(state, id, reason);
  }
  return launch;
}

function sayProgress(state: State, { slaves }: Situation): void {
  const old = slaves.filter(
    it => it.outdated === true && it.standing !== 'draining' && it.standing !== 'leaving',
  );
  if (old.length === 0) return;
  const reasons = old.map(({ id }) => {
    const member = state.members.get(id);
    return member && outOfDate(state, member.slave);
  });
  const data = state.config.slave.dataSnapshots.join(' ') || 'no data';
  const wanted = reasons.includes('its data are out of date') ? data : (state.plan?.imageId ?? '');
  if (state.said.get('renewing') !== wanted) {
    state.said.set('renewing', wanted);
    const slaves = old.length === 1 ? '1 slave that has' : `${old.length} slaves that have`;
    say(state, 'info', `replacing ${slaves} not ${wanted}: new ones come into service first`);
  }
  if (state.pace.failedBoots > (state.renewal?.failedBoots ?? 0)) {
    sayOnce(
      state,
      'renewal',
      'warn',
      `a slave with ${wanted} has failed: the ${old.length} others stay in service until one has proved itself`,
    );
  }
}
