import { permitted } from '../policy/backoff.ts';
import { type InstanceRefresh, refreshInstances } from '../policy/instance-refresh.ts';
import type { Situation } from '../policy/scale.ts';
import type { Agenda } from './agenda.ts';
import { outOfDate } from './members.ts';
import type { StateView } from './state.ts';

/** What the instance refresh calls for now. */
export function instanceRefreshOf(state: StateView, situation: Situation, now: number): InstanceRefresh {
  const { instanceRefresh, backoff } = state;
  return refreshInstances({
    ...situation,
    ...(instanceRefresh !== undefined && { size: instanceRefresh.size }),
    // Failures from before it began are not the new slaves' fault.
    trusted: instanceRefresh === undefined || backoff.failedBoots <= instanceRefresh.failedBoots,
    mayLaunch: state.plan !== undefined && permitted(backoff, 1, situation.ceiling, now).count > 0,
  });
}

/**
 * Replaces the slaves that were made from other data, or another image, than the configuration names.
 *
 * @returns how many to launch for it
 */
export function decideInstanceRefresh(agenda: Agenda, situation: Situation): number {
  const { state, now } = agenda;
  const { instanceRefresh, backoff } = state;
  const { size, launch, release } = instanceRefreshOf(state, situation, now);
  if (size === undefined) {
    if (instanceRefresh === undefined) return 0;
    agenda.change({ kind: 'end instance refresh' });
    agenda.change({ kind: 'resolve', topic: 'renewal' });
    agenda.change({
      kind: 'resolve',
      topic: 'renewing',
      message: 'all slaves are replaced: every slave has the current data and image',
    });
    return 0;
  }
  const failedBoots = Math.min(instanceRefresh?.failedBoots ?? backoff.failedBoots, backoff.failedBoots);
  agenda.change({ kind: 'refresh instances', size, failedBoots });
  sayProgress(agenda, situation);
  for (const instanceId of release) {
    const member = state.members.get(instanceId);
    const reason = member && outOfDate(state, member.slave);
    if (reason !== undefined) agenda.change({ kind: 'release', instanceId, reason });
  }
  return launch;
}

function sayProgress(agenda: Agenda, { slaves }: Situation): void {
  const { state } = agenda;
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
  const those = old.length === 1 ? '1 slave that does not have' : `${old.length} slaves that do not have`;
  agenda.say('info', `replacing ${those} ${wanted}: new ones come into service first`, {
    topic: 'renewing',
    news: wanted,
  });
  if (state.backoff.failedBoots > (state.instanceRefresh?.failedBoots ?? 0)) {
    agenda.say(
      'warn',
      `a slave with ${wanted} failed: the other ${old.length} stay in service until a new one has proved itself`,
      { topic: 'renewal' },
    );
  }
}
