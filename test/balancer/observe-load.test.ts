import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { recordLoad } from '../../src/balancer/observe.ts';
import { initialState, type State } from '../../src/balancer/state.ts';
import { SECOND } from '../../src/clock.ts';
import { noteRequest } from '../../src/load/rate.ts';
import type { Reading } from '../../src/load/reading.ts';
import { createWorld } from './world.ts';

const CONFIG = createWorld({ table: [[1, 2, 3]] }).configOf();
const INTERVAL = CONFIG.master.pollInterval;

/** What the log says at each of these readings, a poll apart. */
function saidAt(readings: readonly Reading[]): readonly (readonly string[])[] {
  const state: State = initialState({
    config: CONFIG,
    runId: 'run',
    listed: [],
    followsConfig: false,
    now: 0,
  });
  return readings.map((reading, n) => {
    state.load = noteRequest(state.load);
    recordLoad(state, reading, n * INTERVAL);
    return state.outbox
      .splice(0)
      .flatMap(({ level, message }) => (level === 'debug' ? [] : [`${level}: ${message}`]));
  });
}

const page = (n: number, more: object = {}): Reading => ({
  totalAccesses: n,
  serverUptimeSeconds: 604 + (n * INTERVAL) / SECOND,
  ...more,
});

describe('what the log says of the load', () => {
  it('is one warning after three polls of servers that answer in turn, with reason and remedy', () => {
    const other = (n: number) => ({ ...page(n), totalAccesses: 500_000, serverUptimeSeconds: 90_604 });
    const said = saidAt(Array.from({ length: 12 }, (_, n) => (n % 2 === 0 ? page(n) : other(n))));
    assert.deepEqual(said.slice(0, 3).flat(), []);
    assert.equal(said.flat().length, 1);
    assert.match(
      said[3]?.[0] ?? '',
      /^warn: the load cannot be determined, so the farm stays as it is: several servers answer in turn \(.*Point server_status_url at Apache itself/,
    );
  });

  it('is nothing when the clock is set, and one reading cannot be told', () => {
    const said = saidAt(
      [1, 2, 3, 4, 5].map(n => ({
        ...page(n),
        serverUptimeSeconds: 604 + n * (INTERVAL / SECOND) + (n < 3 ? 0 : 7200),
      })),
    );
    assert.deepEqual(said.flat(), []);
  });

  it('is one warning when Apache is overloaded, and one line when that is over', () => {
    const busy = (n: number) => page(n, { workers: { busy: 16, idle: 0, free: 0 } });
    const said = saidAt([page(1), busy(2), { overloaded: 'no answer' }, busy(4), page(5), page(6)]);
    assert.deepEqual(said.flat().length, 2);
    assert.match(
      said[1]?.[0] ?? '',
      /^warn: Apache is overloaded: no Apache worker is idle \(16 are busy\); the load counts as one more row/,
    );
    assert.match(said[4]?.[0] ?? '', /^info: Apache has idle workers again, after /);
  });
});
