import { NEARLY, startOfMonth } from '../budget/ledger.ts';
import { HOUR } from '../clock.ts';
import { dollars } from '../format/money.ts';
import type { Agenda } from './agenda.ts';
import { accountIn } from './spending.ts';
import { SAVE_SPENDING_INTERVAL } from './timing.ts';

/**
 * Holds the budget of the month: when it is used up, every slave is released, and nothing is launched.
 *
 * @returns whether it is used up
 */
export function decideBudget(agenda: Agenda): boolean {
  const { state, now } = agenda;
  const account = accountIn(state);
  if (account?.budget === undefined || state.spending === undefined) {
    if (state.said.has('budget')) agenda.change({ kind: 'resolve', topic: 'budget' });
    return false;
  }
  const { month, budget, isUsedUp, spentAtMost } = account;
  const { ledger, counted } = state.spending;
  const untilNextMonth = startOfMonth(counted.wall, 1) - counted.wall;
  if (isUsedUp) {
    if (ledger.usedUp?.month !== month || ledger.usedUp.budget < budget)
      agenda.change({ kind: 'use up budget', month, budget });
    agenda.say(
      'warn',
      `the budget of ${dollars(budget)} for ${month} is used up: all slaves are released, and nothing is launched before the next month (UTC) or a higher [SLAVE] budget; GBrowse draws locally`,
      { topic: 'budget', news: `${month} ${budget} used up` },
    );
    for (const [instanceId, { leaving }] of state.members)
      if (leaving === undefined)
        agenda.change({ kind: 'release', instanceId, reason: 'the budget of the month is used up' });
    agenda.due(now + untilNextMonth);
    return true;
  }
  if (spentAtMost >= NEARLY * budget)
    agenda.say(
      'warn',
      `${dollars(spentAtMost)} of the budget of ${dollars(budget)} for ${month} are spent: at 100 % all slaves are released until the next month; raise [SLAVE] budget to go on`,
      { topic: 'budget', news: `${month} ${budget} nearly` },
    );
  else if (state.said.has('budget'))
    agenda.change({
      kind: 'resolve',
      topic: 'budget',
      message: `there is money to spend again: ${dollars(budget - spentAtMost)} of ${dollars(budget)} are left for ${month}`,
    });
  const { atMost } = counted.rate;
  if (atMost > 0) agenda.due(now + Math.min(untilNextMonth, ((budget - spentAtMost) / atMost) * HOUR));
  return false;
}

/** What was spent is saved while it grows, and at once when the budget is used up. */
export function saveSpending(agenda: Agenda): void {
  const { spending } = agenda.state;
  if (spending === undefined) return;
  const { ledger, saved } = spending;
  if (ledger === saved?.ledger || (saved === undefined && Object.keys(ledger.months).length === 0)) return;
  // A slave that has ended must not be counted by the next start.
  const hasEnded = Object.keys(saved?.ledger.running ?? {}).some(id => ledger.running?.[id] === undefined);
  const isUrgent = hasEnded || ledger.usedUp !== saved?.ledger.usedUp;
  if (isUrgent || agenda.due((saved?.at ?? Number.NEGATIVE_INFINITY) + SAVE_SPENDING_INTERVAL))
    agenda.add({ kind: 'save-spending', ledger });
}
