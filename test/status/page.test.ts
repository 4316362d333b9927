import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HOUR, MINUTE } from '../../src/clock.ts';
import { held, hoursOf, NO_BOOK } from '../../src/history/book.ts';
import { statusPage } from '../../src/status/page/page.ts';
import { report, slave, troubled } from './fixtures/report.ts';

const TABLE = [
  { requestsPerSecond: 1, min: 1, max: 3 },
  { requestsPerSecond: 5, min: 3, max: 5 },
];
const end = Date.parse(report([]).time);

function week() {
  let book = NO_BOOK;
  for (let at = end - 5 * 24 * HOUR; at < end; at += 10 * MINUTE) {
    const rate = 2 + 2 * Math.sin(at / (4 * HOUR));
    const level = {
      requestsPerSecond: rate,
      serving: 2,
      slaves: Math.round(rate),
      onDemand: 0,
      min: 2,
      max: 3,
    };
    book = held(book, at, 10 * MINUTE, { level, rate: { perHour: 0.08, atMost: false }, paused: false });
  }
  return hoursOf(book);
}

test('the page has charts, slaves and decisions, loads nothing and runs no script', () => {
  const page = statusPage(report([slave(0), slave(1)]), TABLE, week());
  assert.equal(page.match(/<svg (?!class="bar)/g)?.length, 5);
  assert.match(page, /No trouble in the last hour/);
  assert.match(page, /http-equiv="refresh" content="30"/);
  assert.match(page, /default-src 'none'/);
  assert.doesNotMatch(page, /<script|src=|href=|url\(|NaN|undefined|Infinity/);
  assert.ok(page.length < 100_000, String(page.length));
});

test('trouble and a pause stand before everything else', () => {
  const pause = { since: report([]).time, until: null, releasesSlaves: false };
  const page = statusPage({ ...troubled(), pause }, TABLE, []);
  const before = page.slice(0, page.indexOf('class="tiles"'));
  for (const pattern of [
    /Paused until it is ended/,
    /The load is not known/,
    /Apache is overloaded/,
    /Nothing is launched/,
    /\[MASTER\] notify failed/,
  ])
    assert.match(before, pattern);
});

test('money stands against the budget, where there is one', () => {
  const month = { month: '2026-11', dollars: 21, dollarsAtMost: 21.75, budget: 40, isUsedUp: false };
  const pageOf = (more: Partial<typeof month> | { budget: null }) =>
    statusPage(
      { ...report([slave(0)]), money: { ...report([]).money, month: { ...month, ...more } } },
      TABLE,
      [],
    );
  assert.match(
    pageOf({}),
    /<p class="big ">54 % spent<.*<rect class="part" width="54\.4".*\$21\.75 of \$40\.00 in 2026-11/,
  );
  assert.match(pageOf({ dollarsAtMost: 32 }), /<p class="big warn">80 % spent</);
  const usedUp = pageOf({ dollarsAtMost: 41, isUsedUp: true });
  assert.match(usedUp, /<p class="big error">102 % spent<.*width="100\.0"/);
  assert.match(usedUp.slice(0, usedUp.indexOf('class="tiles"')), /The budget of 2026-11 is used up/);
  assert.doesNotMatch(pageOf({ budget: null }), /<h2>Budget/);
});

test('without any slave, load or history nothing is made up', () => {
  const page = statusPage(
    { ...report([]), wanted: null, history: { stepSeconds: 60, points: [] } },
    TABLE,
    [],
  );
  assert.match(page, /No slave: GBrowse draws locally/);
  assert.doesNotMatch(page, /NaN|undefined|Infinity/);
});

test('no text of the report becomes part of the markup', () => {
  const tags = (text: string) => text.match(/<[a-z!/][^>]*>/gi)?.length;
  const expected = tags(statusPage(report([slave(0, { reason: 'x', state: 'x' })]), TABLE, []));
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), nasty => {
      const reason = `<b onload="x">${nasty}</b>`;
      const base = report([slave(0, { reason, state: nasty, instanceId: nasty })]);
      const page = statusPage({ ...base, balancer: { ...base.balancer, master: nasty } }, TABLE, []);
      assert.equal(tags(page), expected);
    }),
  );
});
