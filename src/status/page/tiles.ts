import { NEARLY } from '../../budget/ledger.ts';
import { html } from '../../format/html.ts';
import { dollars } from '../../format/money.ts';
import { requestRate } from '../../format/numbers.ts';
import type { Report } from '../report.ts';

/** Load, slaves and money at a glance, and how the budget stands where there is one. */
export function tiles({ load, wanted, slaves: all, money }: Report): string {
  const serving = all.filter(it => it.state === 'serving').length;
  const most = (isBound: boolean) => (isBound ? 'at most ' : '');
  const rows: readonly (readonly [string, string, string])[] = [
    [
      'Load',
      load.requestsPerSecond === null ? 'not known' : `${requestRate(load.requestsPerSecond)} requests/s`,
      load.lastHourPeakRequestsPerSecond === null
        ? ''
        : `at most ${requestRate(load.lastHourPeakRequestsPerSecond)} in the last hour`,
    ],
    [
      'Slaves',
      `${serving} serving`,
      `${all.length - serving} others; ${wanted === null ? 'wanted: not known' : `${wanted.minSlaves} to ${wanted.maxSlaves} wanted`}`,
    ],
    [
      'Money',
      `${most(money.isUpperBound)}${dollars(money.pricePerHour)} an hour`,
      `${most(money.today.isUpperBound)}${dollars(money.today.dollars)} today, without disks and traffic`,
    ],
  ];
  return `<div class="tiles">${rows.map(([title, text, more]) => `<div><h2>${title}</h2><p class="big">${html(text)}</p><p class="faint">${html(more)}</p></div>`).join('')}${budgetTile(money)}</div>`;
}

/** The month's expenses as a part of the budget. */
function budgetTile({ month }: Report['money']): string {
  if (month === null || month.budget === null) return '';
  const { budget, dollarsAtMost, isUsedUp } = month;
  const part = dollarsAtMost / budget;
  const colour = isUsedUp ? 'error' : part >= NEARLY ? 'warn' : '';
  const width = (100 * Math.min(1, part)).toFixed(1);
  return `<div><h2>Budget</h2><p class="big ${colour}">${Math.floor(100 * part)} % spent</p><svg class="bar ${colour}" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"><rect class="whole" width="100" height="4"/><rect class="part" width="${width}" height="4"/></svg><p class="faint">${html(`${dollars(dollarsAtMost)} of ${dollars(budget)} in ${month.month} (UTC)`)}</p></div>`;
}
