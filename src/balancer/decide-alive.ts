import type { Agenda } from './agenda.ts';
import { SIGN_OF_LIFE_INTERVAL } from './timing.ts';

/** Now and then a sign of life, so that `gc` on another machine does not take our slaves for leftovers. */
export function decideSignOfLife(agenda: Agenda): void {
  const { state } = agenda;
  if (state.describedAt === undefined || state.tidied || state.running.has('tidy')) return;
  if (!agenda.due(state.aliveAt + SIGN_OF_LIFE_INTERVAL)) return;
  const templateId = state.plan?.templateId;
  agenda.add({ kind: 'mark-alive', ...(templateId !== undefined && { templateId }) });
}
