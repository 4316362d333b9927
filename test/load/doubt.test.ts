import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SECOND } from '../../src/clock.ts';
import { type Load, NO_LOAD, noteReading, noteRequest } from '../../src/load/rate.ts';
import type { Reading, StatusPage } from '../../src/load/reading.ts';
import { rateOver } from '../../src/load/window.ts';

type Answers = (second: number, n: number) => Reading;

/** The loads that the readings of a server give, the first of them without one. */
function loads(answers: Answers, { polls = 12, interval = 60 } = {}): readonly Load[] {
  const all: Load[] = [];
  let load = NO_LOAD;
  for (let n = 0; n < polls; n++) {
    const second = n * interval;
    load = noteReading(noteRequest(load), answers(second, n), second * SECOND);
    all.push(load);
  }
  return all;
}

const A = (t: number, n: number): StatusPage => ({ totalAccesses: 1000 + n, serverUptimeSeconds: 604 + t });
const B = (t: number, n: number): StatusPage => ({
  totalAccesses: 500_000 + n,
  serverUptimeSeconds: 90_604 + t,
});
const since = (page: StatusPage, restartTime: string): StatusPage => ({ ...page, restartTime });

/** Servers whose readings together are no load. */
const UNTRUE: Record<string, readonly [answers: Answers, why: RegExp]> = {
  'two servers in turn, without RestartTime': [
    (t, n) => (n % 2 === 0 ? A(t, n) : B(t, n)),
    /several servers answer in turn \(up .*\)\. Point server_status_url at Apache itself/,
  ],
  'two servers in turn, with RestartTime': [
    (t, n) => (n % 2 === 0 ? since(A(t, n), '20 February') : since(B(t, n), '1 January')),
    /several servers/,
  ],
  'two servers by chance, one of them twice in a row': [
    (t, n) => (n % 3 === 2 ? B(t, n) : A(t, n)),
    /several servers/,
  ],
  'three servers in turn': [
    (t, n) =>
      n % 3 === 0
        ? A(t, n)
        : n % 3 === 1
          ? B(t, n)
          : { totalAccesses: 7000 + n, serverUptimeSeconds: 5000 + t },
    /several servers/,
  ],
  'two servers that were started in the same second': [
    (t, n) => ({ totalAccesses: (n % 2) * 500_000 + 1000 + n, serverUptimeSeconds: 604 + t }),
    /several servers answer, or the scoreboard is damaged/,
  ],
  'a page from a cache': [() => A(0, 0), /comes from a cache/],
  'a page from a cache, with RestartTime': [() => since(A(0, 0), 'Monday'), /comes from a cache/],
  'a server that does not count our requests': [
    t => ({ totalAccesses: 1000, serverUptimeSeconds: 604 + t }),
    /our own requests are not counted/,
  ],
};

describe('readings that cannot be true', () => {
  for (const [what, [answers, why]] of Object.entries(UNTRUE)) {
    for (const interval of [3, 10, 60]) {
      test(`${what}, every ${interval} s: never a load, and the reason after three polls`, () => {
        const all = loads(answers, { interval });
        // Before the second server has answered twice nobody can know of it.
        for (const { rate } of all) assert.ok(rate === undefined || rate < 1, `a load of ${rate}`);
        for (const { rate } of all.slice(5)) assert.equal(rate, undefined);
        assert.ok((all.at(-1)?.doubt?.readings ?? 0) >= 3);
        assert.match(all.at(-1)?.doubt?.why ?? '', why);
      });
    }
  }

  test('a load is believed again when one server answers for a while', () => {
    const all = loads(
      (t, n) => (n < 6 && n % 2 === 1 ? B(t, n) : { ...A(t, n), totalAccesses: 1000 + 11 * n }),
      {
        polls: 40,
      },
    );
    assert.equal(all.at(-1)?.doubt, undefined);
    assert.ok(Math.abs((all.at(-1)?.rate ?? 0) - 10 / 60) < 1e-9);
  });

  test('a clock that is set once, on an Apache without RestartTime, costs one reading', () => {
    const all = loads((t, n) => ({
      totalAccesses: 601 * n,
      serverUptimeSeconds: 604 + t + (n > 3 ? 7200 : 0),
    }));
    assert.deepEqual(
      all.slice(1).map(it => it.rate),
      [10, 10, 10, undefined, 10, 10, 10, 10, 10, 10, 10],
    );
  });

  test('a load that no Apache has is believed when it is seen twice', () => {
    const all = loads((t, n) => ({ totalAccesses: n < 3 ? n : n * 120_000, serverUptimeSeconds: 604 + t }));
    assert.equal(all[3]?.rate, undefined);
    assert.ok(Math.abs((all[4]?.rate ?? 0) - 2000) < 1);
  });
});

describe('overload', () => {
  const page =
    (busy: number, idle: number, free: number | undefined): Answers =>
    (t, n) => ({
      totalAccesses: n,
      serverUptimeSeconds: 604 + t,
      workers: { busy, idle, ...(free !== undefined && { free }) },
    });
  const cases: Record<string, readonly [Answers, readonly boolean[]]> = {
    'an idle worker is no overload': [page(15, 1, 0), [false, false, false]],
    'no idle worker and no free slot is overload at once': [page(16, 0, 0), [true, true, true]],
    'no idle worker, with free slots that Apache does not use, shows at the next reading': [
      page(16, 0, 240),
      [false, true, true],
    ],
    'so it does without a scoreboard': [page(16, 0, undefined), [false, true, true]],
    'an Apache that starts more workers is not overloaded': [
      (t, n) => ({
        totalAccesses: n,
        serverUptimeSeconds: t,
        workers: { busy: 16 * (n + 1), idle: 0, free: 200 },
      }),
      [false, false, false],
    ],
    'the only worker is busy with our own request': [page(1, 0, 0), [false, false, false]],
    'no answer though the port accepts is overload': [
      () => ({ overloaded: 'no answer' }),
      [true, true, true],
    ],
    'the overload ends with a page that has an idle worker': [
      (t, n) => (n < 2 ? { overloaded: 'no answer' } : page(3, 13, 0)(t, n)),
      [true, true, false],
    ],
  };
  for (const [what, [answers, expected]] of Object.entries(cases)) {
    test(what, () => {
      const all = loads(answers, { polls: expected.length });
      assert.deepEqual(
        all.map(it => it.overload !== undefined),
        expected,
      );
    });
  }

  test('says since when', () => {
    const all = loads(page(16, 0, 0), { polls: 5, interval: 30 });
    assert.deepEqual(all.at(-1)?.overload, { since: 0, reason: 'no Apache worker is idle (16 are busy)' });
  });
});

describe('the load of a log', () => {
  const logged = (requests: number, more: object = {}): Reading => ({ logged: { requests, ...more } });

  test('is the change of its count, whatever mod_status says or whether it answers', () => {
    const all = loads(
      (t, n) => (n % 2 === 0 ? { ...A(t, n), logged: { requests: 30 * n } } : logged(30 * n)),
      {
        interval: 10,
      },
    );
    assert.deepEqual(
      all.slice(1).map(it => it.rate),
      Array<number>(11).fill(3),
    );
  });

  test('is unknown, with the reason, while the log cannot be counted', () => {
    const all = loads((_, n) => (n >= 2 && n <= 5 ? logged(60, { problem: 'it is gone' }) : logged(30 * n)), {
      interval: 10,
    });
    assert.deepEqual(
      all.map(it => it.rate),
      [undefined, 3, undefined, undefined, undefined, undefined, undefined, 3, 3, 3, 3, 3],
    );
    assert.deepEqual(all[5]?.doubt, { why: 'it is gone', readings: 4, since: 20_000 });
  });

  test('is unknown after another log was taken up, whose count begins again', () => {
    const all = loads((_, n) => logged(n < 3 ? 100 + n : n), { polls: 5 });
    assert.equal(all[3]?.rate, undefined);
    assert.equal(all[4]?.rate, 1 / 60);
  });
});

test('the load over the last seconds is a mean of what was counted then', () => {
  const all = loads((t, n) => ({ totalAccesses: n * n * 10 + n, serverUptimeSeconds: t }), { interval: 10 });
  const recent = all.at(-1)?.recent ?? [];
  // Counts grow by 10, 30, 50 … 210 in 10 s each.
  assert.equal(rateOver(recent, 10), 21);
  assert.equal(rateOver(recent, 20), 20);
  assert.equal(rateOver(recent, 15), (210 + 190 / 2) / 15);
  assert.equal(rateOver(recent, 300), 1210 / 110);
  assert.equal(rateOver([], 10), undefined);
});
