import type { Agenda } from './agenda.ts';
import { ACTIVITY_INTERVAL } from './timing.ts';

/** Tags the time of the last activity at intervals, so that `gc` on another machine spares our slaves. */
export function decideSignOfLife(agenda: Agenda): void {
  const { state } = agenda;
  if (state.describedAt === undefined || state.tidied || state.running.has('tidy')) return;
  if (!agenda.due(state.aliveAt + ACTIVITY_INTERVAL)) return;
  const { plan } = state;
  const templateIds = plan && [plan.templateId, ...(plan.onDemand ? [plan.onDemand.templateId] : [])];
  agenda.add({ kind: 'mark-alive', ...(templateIds !== undefined && { templateIds }) });
}
