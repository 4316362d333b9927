import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/clock.ts';
import {
  type Book,
  counted,
  type Held,
  HISTORY_KEPT,
  held,
  hoursOf,
  NO_BOOK,
  noted,
  withLoad,
} from '../../src/history/book.ts';
import { daysOf, hoursIn, monthOf, monthSpan } from '../../src/history/days.ts';
import { packed, sumOf, unpacked } from '../../src/history/tally.ts';

const START = Date.UTC(2026, 10, 24, 23, 30);
const busy: Held = {
  level: { requestsPerSecond: 2, serving: 1, slaves: 2, onDemand: 1, min: 2, max: 3 },
  rate: { perHour: 0.1, atMost: false },
  paused: false,
};

/** Hours of the same, observed every so many ms. */
function after(hours: number, step: number, what: Held = busy): Book {
  let book = NO_BOOK;
  for (let at = START + step; at <= START + hours * HOUR; at += step) book = held(book, at, step, what);
  return book;
}

describe('the history', () => {
  it('is the same when the load of a span is found later, over the end of a minute and of an hour', () => {
    const span = fc.record({ ms: fc.integer({ min: 1, max: 5 * MINUTE }), few: fc.boolean() });
    fc.assert(
      fc.property(fc.array(span, { minLength: 1, maxLength: 40 }), spans => {
        let [atOnce, later, wall] = [NO_BOOK, NO_BOOK, START];
        for (const { ms, few } of spans) {
          wall += ms;
          const what = { ...busy, level: { ...busy.level, serving: few ? 1 : 2 } };
          atOnce = held(atOnce, wall, ms, what);
          later = held(later, wall, ms, { ...what, level: { ...what.level, requestsPerSecond: undefined } });
          later = withLoad(later, wall, ms, what);
        }
        assert.deepEqual(hoursOf(later), hoursOf(atOnce));
      }),
    );
  });

  it('counts the same however often it is observed', () => {
    fc.assert(
      fc.property(fc.constantFrom(SECOND * 7.5, 30 * SECOND, 4 * MINUTE, HOUR), step => {
        const total = sumOf(
          hoursOf(after(2, step)).map(it => it.tally),
          START,
        );
        assert.equal(Math.round(total.requests), 2 * 3600 * 2);
        assert.equal(Math.round(total.tooFew), 2 * 3600 * 2);
        assert.equal(Math.round(total.existed / HOUR), 4);
        assert.ok(Math.abs(total.dollars - 0.2) < 1e-9);
        assert.equal(total.watched, 2 * HOUR);
      }),
    );
  });

  it('splits at minutes, hours and days', () => {
    const hours = hoursOf(after(2, 4 * MINUTE));
    assert.deepEqual(
      hours.map(({ tally }) => new Date(tally.start).toISOString().slice(0, 13)),
      ['2026-11-24T23', '2026-11-25T00', '2026-11-25T01'],
    );
    assert.deepEqual(
      daysOf(hours).map(({ watched }) => watched / MINUTE),
      [30, 90],
    );
    assert.deepEqual(hours[0]?.loads.slice(29, 32), [null, 2, 2]);
  });

  it('stays small: 60 days of hours, hours of minutes, some messages', () => {
    let book = after(62 * 24, HOUR / 4);
    for (let n = 0; n < 5000; n++)
      book = noted(book, { at: START + n, level: 'info', message: 'x'.repeat(1000) });
    assert.ok(book.hours.length <= HISTORY_KEPT / HOUR);
    assert.ok(book.minutes.length <= 8 * 60);
    assert.ok(JSON.stringify(book.said).length < 1024 * 1024);
    const text = JSON.stringify(book.hours.map(({ tally, loads }) => [packed(tally), loads]));
    assert.ok(text.length < 2 * 1024 * 1024, String(text.length));
    assert.ok(
      sumOf(
        book.hours.map(it => it.tally),
        0,
      ).watched >
        59 * DAY,
    );
  });

  it('a request meets too few slaves only while the load is known, calls for more, and nobody has paused', () => {
    const tooFew = (more: Partial<Held['level']>, paused = false) =>
      sumOf(
        hoursOf(after(1, MINUTE, { ...busy, level: { ...busy.level, ...more }, paused })).map(it => it.tally),
        0,
      ).tooFew;
    assert.ok(tooFew({}) > 0);
    assert.equal(tooFew({ serving: 2 }), 0);
    assert.equal(tooFew({ requestsPerSecond: undefined }), 0);
    assert.equal(tooFew({}, true), 0);
  });

  it('counts each launch and each interruption once', () => {
    let book = after(1, MINUTE);
    for (let times = 0; times < 3; times++)
      book = counted(book, START + HOUR, { launched: ['i-1', 'i-2'], reclaimed: ['i-1'] });
    const { launches, interruptions } = sumOf(
      hoursOf(book).map(it => it.tally),
      0,
    );
    assert.deepEqual([launches, interruptions], [2, 1]);
  });

  it('a clock that is set back or forward makes no negative and no second time', () => {
    let book = after(1, MINUTE);
    book = held(book, START + 10 * MINUTE, MINUTE, busy);
    book = held(book, START + 5 * HOUR, MINUTE, busy);
    const total = sumOf(
      hoursOf(book).map(it => it.tally),
      0,
    );
    assert.equal(total.watched, HOUR + 2 * MINUTE);
    const starts = book.minutes.map(it => it.start);
    assert.deepEqual(
      starts,
      [...new Set(starts)].toSorted((a, b) => a - b),
    );
  });

  it('a line of numbers is the tally that it was made of, and nothing else is one', () => {
    const [tally] = after(1, MINUTE).minutes;
    assert.ok(tally);
    assert.deepEqual(unpacked(packed(tally)), { ...tally, dollars: Number(tally.dollars.toFixed(6)) });
    assert.equal(tally.bought, MINUTE);
    // An earlier version has written no slaves on demand.
    assert.equal(unpacked(packed(tally).slice(0, -1))?.bought, 0);
    for (const bad of [null, [], [1], packed(tally).map(it => -it - 1), packed(tally).map(String)])
      assert.equal(unpacked(bad), undefined);
  });

  it('a month begins and ends in UTC', () => {
    const december = monthSpan('2026-12');
    assert.equal(monthOf(december.from), '2026-12');
    assert.equal(monthOf(december.until - 1), '2026-12');
    assert.equal(monthOf(december.until), '2027-01');
    assert.equal(hoursIn(hoursOf(after(2, MINUTE)), december).length, 0);
  });
});
