import type { Agenda } from './agenda.ts';

/** Gives up on slaves that were not ready in time. */
export function releaseOverdue(agenda: Agenda): void {
  const { state, now } = agenda;
  for (const [instanceId, { readySince, leaving, firstSeen }] of state.members) {
    if (readySince !== undefined || leaving !== undefined) continue;
    if (!agenda.due(firstSeen + state.config.slave.bootTimeout)) continue;
    agenda.change({ kind: 'release', instanceId, reason: 'it did not become ready in time' });
    agenda.change({ kind: 'count failed boot', reason: `${instanceId} was not ready in time`, at: now });
  }
}

/** A slave that has served for as long as a boot may take shows that its image is good. */
export function markProven(agenda: Agenda): void {
  const { state } = agenda;
  for (const [instanceId, { proven, readySince, leaving }] of state.members) {
    if (proven || readySince === undefined || leaving !== undefined) continue;
    if (agenda.due(readySince + state.config.slave.bootTimeout)) agenda.change({ kind: 'prove', instanceId });
  }
}
