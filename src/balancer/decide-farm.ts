import type { Agenda } from './agenda.ts';
import { drainEndsAt, isFarmGivenUp } from './decide-stop.ts';
import { isListed, servingUrls } from './members.ts';
import { isFresh } from './state.ts';
import { RELOAD_GAP, RELOAD_PATIENCE, TERMINATE_AGAIN } from './timing.ts';

/** The farm file lists exactly the slaves that serve; not before EC2 has answered once, or a restart would empty it. */
export function decideFarm(agenda: Agenda): void {
  const { state } = agenda;
  if (state.describedAt === undefined && state.stop === undefined) return;
  // A reading that began before a change would be taken for somebody else's change.
  if (state.running.has('read-farm') && state.stop === undefined) return;
  const wanted = servingUrls(state);
  if (wanted.join(' ') !== state.listed.join(' ')) {
    agenda.add({ kind: 'write-farm', urls: wanted });
  } else if (state.reloadOwed && agenda.due(state.reloadedAt + RELOAD_GAP)) {
    agenda.add({ kind: 'reload' });
  }
}

/** Out of the farm, reload, drain, terminate. */
export function decideReleases(agenda: Agenda): void {
  const { state, now } = agenda;
  if (state.running.has('write-farm') && !isFarmGivenUp(agenda)) return;
  const untagged: string[] = [];
  const finished: string[] = [];
  let agoMs = Number.POSITIVE_INFINITY;
  for (const [id, member] of state.members) {
    // An instance that EC2 does not list under this master's tag may no longer belong to it.
    if (member.leaving === undefined || member.missing > 0 || isListed(state, member.slave)) continue;
    const known = !state.reloadOwed || isFarmGivenUp(agenda) || agenda.due(state.listedAt + RELOAD_PATIENCE);
    if (member.leaving.outSince === undefined && known)
      agenda.change({ kind: 'drain', instanceId: id, since: now });
    const { outSince = known ? now : undefined, tagged, terminateAskedAt } = member.leaving;
    const drained =
      !member.mayBeInUse ||
      state.stop?.hurriedAt !== undefined ||
      (outSince !== undefined && agenda.due(drainEndsAt(state, outSince)));
    if (drained) {
      if (agenda.due((terminateAskedAt ?? Number.NEGATIVE_INFINITY) + TERMINATE_AGAIN)) finished.push(id);
    } else if (!tagged && outSince !== undefined) {
      untagged.push(id);
      // The latest of several: a successor drains none of them too briefly.
      agoMs = Math.min(agoMs, now - outSince);
    }
  }
  if (untagged.length + finished.length === 0 || !isShownLately(agenda)) return;
  if (untagged.length > 0) agenda.add({ kind: 'mark-draining', instanceIds: untagged, agoMs });
  if (finished.length > 0) agenda.add({ kind: 'terminate', instanceIds: finished });
}

/**
 * Whether EC2 has just shown that what is to be tagged or terminated is this master's; otherwise instances are
 * described first. When EC2 does not answer, or there is no time to wait, its last answer counts.
 */
function isShownLately(agenda: Agenda): boolean {
  const { state } = agenda;
  const { retry, stop } = state;
  if (stop?.hurriedAt !== undefined || retry.has('describe') || isFresh(state, agenda.now)) return true;
  agenda.add({ kind: 'describe' });
  return false;
}
