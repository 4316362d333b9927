import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Load, NO_LOAD, noteReading, noteRequest } from '../../src/load/rate.ts';
import type { Reading } from '../../src/load/reading.ts';

type Look = [at: number, totalAccesses: number, uptime: number, restartTime?: string];

/** The load after these looks (`at` in seconds), each of them one request of our own. */
function after(...looks: Look[]): Load {
  let load = NO_LOAD;
  for (const [at, totalAccesses, serverUptimeSeconds, restartTime] of looks) {
    const reading = {
      totalAccesses,
      serverUptimeSeconds,
      ...(restartTime === undefined ? {} : { restartTime }),
    };
    load = noteReading(noteRequest(load), reading, at * 1000);
  }
  return load;
}

const CASES: Record<string, [looks: Look[], rate: number | undefined]> = {
  'one reading is no load yet': [[[0, 500, 1000]], undefined],
  'own requests are not counted': [
    [
      [0, 500, 1000],
      [30, 501, 1030],
      [60, 502, 1060],
    ],
    0,
  ],
  'ten a second': [
    [
      [0, 500, 1000],
      [30, 801, 1030],
    ],
    10,
  ],
  'a week at 0.05, then ten a second': [
    [
      [0, 30_240, 604_800],
      [30, 30_541, 604_830],
    ],
    10,
  ],
  'two readings within the same second keep the load': [
    [
      [0, 0, 100],
      [30, 301, 130],
      [30.4, 330, 130],
    ],
    10,
  ],
  'what they saw counts in the next one': [
    [
      [0, 0, 100],
      [30, 301, 130],
      [30.4, 330, 130],
      [40, 402, 140],
    ],
    9.9,
  ],
  'a graceful restart changes nothing': [
    [
      [0, 500, 1000, 'Mon'],
      [30, 801, 1030, 'Mon'],
    ],
    10,
  ],
  'after a restart the new counters are the load': [
    [
      [0, 500, 1000, 'Mon'],
      [30, 200, 20, 'Tue'],
    ],
    10,
  ],
  'also when they are higher than before': [
    [
      [0, 5, 1000, 'Mon'],
      [30, 200, 20, 'Tue'],
    ],
    10,
  ],
  'also when Apache does not say when it was': [
    [
      [0, 500, 1000],
      [30, 200, 20],
    ],
    10,
  ],
  'a restart just now leaves the load unknown': [
    [
      [0, 0, 100, 'Mon'],
      [30, 301, 130, 'Mon'],
      [60, 20, 4, 'Tue'],
    ],
    undefined,
  ],
  'and the next reading knows it again': [
    [
      [0, 500, 1000, 'Mon'],
      [30, 20, 4, 'Tue'],
      [60, 321, 34, 'Tue'],
    ],
    10,
  ],
  'a counter that went back by itself leaves it unknown': [
    [
      [0, 500, 1000, 'Mon'],
      [30, 400, 1030, 'Mon'],
    ],
    undefined,
  ],
  'an hour of outage and a restart': [
    [
      [0, 500, 1000, 'Mon'],
      [3600, 200, 20, 'Tue'],
    ],
    10,
  ],
  'a clock set forward': [
    [
      [0, 500, 1000, 'Mon'],
      [30, 801, 4630, 'Mon'],
    ],
    10,
  ],
  'a clock set back': [
    [
      [0, 500, 9000, 'Mon'],
      [30, 801, 5430, 'Mon'],
    ],
    10,
  ],
  'a clock set back to before the start of Apache': [
    [
      [0, 500, 1000, 'Mon'],
      [30, 801, 4_294_963_000, 'Mon'],
    ],
    10,
  ],
  'a clock set back or a restart, nobody knows': [
    [
      [0, 500, 9000],
      [30, 801, 20],
    ],
    undefined,
  ],
  'an uptime in whole seconds is one second off': [
    [
      [0, 500, 1000],
      [3, 531, 1002],
    ],
    10,
  ],
  'a clock that is two seconds off': [
    [
      [0, 500, 1000],
      [30, 811, 1032],
    ],
    10,
  ],
  'a slow answer is not a clock that was set': [
    [
      [0, 500, 1000],
      [35, 811, 1030],
    ],
    10,
  ],
};

for (const [what, [looks, rate]] of Object.entries(CASES)) {
  test(what, () => {
    assert.equal(after(...looks).rate, rate);
  });
}

test('a rate is as new as the reading that gave it', () => {
  assert.equal(after([0, 500, 1000]).measuredAt, undefined);
  assert.equal(after([0, 500, 1000], [30, 801, 1030]).measuredAt, 30_000);
  assert.equal(after([0, 500, 1000], [30, 801, 1030], [30.4, 801, 1030]).measuredAt, 30_000);
});

test('requests of our own that failed are never taken for load', () => {
  let load = after([0, 500, 1000]);
  for (let i = 0; i < 3; i++) load = noteRequest(load);
  assert.equal(
    noteReading(noteRequest(load), { totalAccesses: 504, serverUptimeSeconds: 1120 }, 120_000).rate,
    0,
  );
  assert.equal(
    noteReading(noteRequest(load), { totalAccesses: 501, serverUptimeSeconds: 1120 }, 120_000).rate,
    0,
  );
});

/** A true Apache under a true stream of requests: what the properties compare with. Times in seconds. */
function trueServer(saysRestartTime: boolean) {
  let now = 1_000_000.25;
  let clock = 0;
  let startedAt = now;
  let startedByClock = now;
  let accesses = 0;
  const since = { at: now, users: 0, own: 0, failures: 0, steps: 0, lost: false, restarted: false };
  const sinceStart = { users: 0, own: 0, steps: 0 };
  return {
    pass(seconds: number, users: number) {
      now += seconds;
      accesses += users;
      since.users += users;
      sinceStart.users += users;
    },
    own(counted: boolean, failed: boolean) {
      if (counted) accesses++;
      sinceStart.own++;
      since.own++;
      if (failed) since.failures++;
    },
    restart() {
      // Apache says in whole seconds when that was, and takes longer to come up.
      now += 1.5;
      startedAt = now;
      startedByClock = now + clock;
      accesses = 0;
      since.restarted = true;
      Object.assign(sinceStart, { users: 0, own: 0, steps: 0 });
    },
    setClock(seconds: number) {
      clock += seconds;
      since.steps++;
      sinceStart.steps++;
    },
    loseCount(requests: number) {
      accesses = Math.max(0, accesses - requests);
      since.lost = true;
    },
    reading(): Reading {
      const uptime = Math.floor(now + clock - startedByClock);
      return {
        totalAccesses: accesses,
        serverUptimeSeconds: uptime < 0 ? uptime + 2 ** 32 : uptime,
        ...(saysRestartTime ? { restartTime: `at ${Math.floor(startedByClock)}` } : {}),
      };
    },
    now: () => now,
    since,
    sinceStart,
    upFor: () => now - startedAt,
    mark() {
      Object.assign(since, {
        at: now,
        users: 0,
        own: 0,
        failures: 0,
        steps: 0,
        lost: false,
        restarted: false,
      });
    },
  };
}

const happening = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('poll'), n: fc.integer({ min: 0, max: 600 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('failed poll'), n: fc.integer({ min: 0, max: 1 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('restart'), n: fc.integer({ min: 0, max: 50 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('clock'), n: fc.integer({ min: -9000, max: 9000 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('loss'), n: fc.integer({ min: 1, max: 500 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('graceful'), n: fc.constant(0) }) },
);
const history = fc.array(fc.record({ milliseconds: fc.integer({ min: 0, max: 90_000 }), happening }), {
  minLength: 10,
  maxLength: 40,
});

/** Checks a rate that a reading just gave against what really happened since the baseline. */
function assertTrue(server: ReturnType<typeof trueServer>, rate: number, saysRestartTime: boolean): void {
  const { since, sinceStart } = server;
  const seconds = server.now() - since.at;
  const slack = since.steps === 0 ? 0 : Math.max(2, 0.2 * seconds);
  const close = 1e-6;
  // Without RestartTime, a counter that goes back is a restart.
  if (since.lost && !saysRestartTime) return;
  if (!since.restarted) {
    // Never more than was, but for a clock that was set; less only by failed requests and lost counts.
    if (seconds > slack) assert.ok(rate <= since.users / (seconds - slack) + close, 'too high');
    if (!since.lost) assert.ok(rate >= (since.users - since.failures) / (seconds + slack) - close, 'too low');
    return;
  }
  if (!saysRestartTime || sinceStart.steps > 0 || since.lost) return;
  const up = server.upFor();
  assert.ok(rate <= (sinceStart.users + sinceStart.own) / (up - 1) + close, 'too high after a restart');
  assert.ok(rate >= sinceStart.users / up - close, 'too low after a restart');
}

for (const saysRestartTime of [true, false]) {
  const which = saysRestartTime ? 'an Apache that says when it was started' : 'an Apache that does not';
  test(`whatever happens to ${which}, the load is never negative and true within rounding`, () => {
    let measured = 0;
    fc.assert(
      fc.property(history, events => {
        const server = trueServer(saysRestartTime);
        let load = noteReading(noteRequest(NO_LOAD), server.reading(), server.now() * 1000);
        server.own(true, false);
        server.since.own = 0;
        for (const { milliseconds, happening: event } of events) {
          server.pass(milliseconds / 1000, event.kind === 'poll' || event.kind === 'restart' ? event.n : 0);
          if (event.kind === 'restart') server.restart();
          if (event.kind === 'clock') server.setClock(event.n);
          if (event.kind === 'loss') server.loseCount(event.n);
          if (event.kind === 'failed poll') {
            load = noteRequest(load);
            server.own(event.n === 1, true);
          }
          if (event.kind !== 'poll') continue;

          const before = load.baseline;
          load = noteReading(noteRequest(load), server.reading(), server.now() * 1000);
          assert.ok(load.rate === undefined || (load.rate >= 0 && Number.isFinite(load.rate)));
          if (load.rate !== undefined && load.baseline !== before) {
            measured++;
            assertTrue(server, load.rate, saysRestartTime);
          }
          if (load.baseline !== before) server.mark();
          server.own(true, false);
        }
      }),
      { numRuns: 500 },
    );
    assert.ok(measured > 500, 'the property has seen rates');
  });
}

test('a steady load is known at every poll, whatever the poll interval', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 600 }), fc.integer({ min: 0, max: 200 }), (interval, perSecond) => {
      let load = NO_LOAD;
      for (let poll = 0; poll < 4; poll++) {
        const up = 604_800 + poll * interval;
        // Our own earlier requests are among them.
        const reading = {
          totalAccesses: 30_240 + poll * interval * perSecond + poll,
          serverUptimeSeconds: up,
        };
        load = noteReading(noteRequest(load), reading, up * 1000);
        assert.equal(load.rate, poll === 0 ? undefined : perSecond);
      }
    }),
  );
});
