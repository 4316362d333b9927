import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MINUTE, SECOND } from '../../src/clock.ts';
import { parseConfig } from '../../src/config/load.ts';
import { rangeFor } from '../../src/policy/load-table.ts';
import { builtInTrace } from '../../src/simulate/built-in.ts';
import { constantMarket } from '../../src/simulate/market.ts';
import { measure } from '../../src/simulate/measure.ts';
import { needOf } from '../../src/simulate/need.ts';
import { createRandom } from '../../src/simulate/random.ts';
import { runBalancer } from '../../src/simulate/run-balancer.ts';
import type { Settings } from '../../src/simulate/settings.ts';
import { suggest } from '../../src/simulate/suggest.ts';
import { levelsOf, shaped } from '../../src/simulate/table-shapes.ts';
import { createTrace, type Trace } from '../../src/simulate/trace.ts';
import { surenessWords, tableText } from '../../src/simulate/words.ts';

const row = (requestsPerSecond: number, min: number, max: number) => ({ requestsPerSecond, min, max });
const SETTINGS: Settings = {
  loadTable: [row(0.1, 0, 1), row(0.5, 0, 2), row(1, 1, 3), row(2, 2, 4), row(5, 3, 6), row(7, 5, 7)],
  master: { pollInterval: 30 * SECOND, drainTime: MINUTE },
  slave: { spotBid: 0.1, bootTimeout: 10 * MINUTE },
};
const WORLD = {
  market: constantMarket(0.1),
  bootTime: 90 * SECOND,
  interruptions: 0,
  random: createRandom('suggest'),
};

/** Days of a load that is quiet but for two hours at noon. */
function noons(days: number): Trace {
  const random = createRandom('noons');
  const counts = Array.from({ length: days * 86_400 }, (_, second) => {
    const hour = (second / 3600) % 24;
    return hour >= 11 && hour < 13 ? 3 + random.integer(3) : random.chance(0.15) ? 1 : 0;
  });
  return createTrace({ name: 'noons' }, counts);
}

function suggestionFor(trace: Trace, settings = SETTINGS) {
  const suggestion = suggest(trace, needOf(trace, settings.loadTable), settings, WORLD);
  assert.ok(suggestion);
  return suggestion;
}

describe('a suggested load table', () => {
  const week = noons(8);
  const suggestion = suggestionFor(week);

  it('costs less and serves at least as well on the load that it is made for', () => {
    const need = needOf(week, SETTINGS.loadTable);
    const fare = (loadTable: Settings['loadTable']) =>
      measure(week, need, runBalancer(week, { ...SETTINGS, loadTable }, WORLD), WORLD.market);
    const [own, present] = [fare(suggestion.table), fare(SETTINGS.loadTable)];
    assert.ok(own.cost < present.cost && own.tooFew <= present.tooFew);
    assert.ok(Math.abs(own.cost / 8 - suggestion.fitted.cost) < 1e-9);
    assert.ok(Math.abs(present.tooFew / 8 - suggestion.present.tooFew) < 1e-6);
  });

  it('is judged on days that it was not chosen by', () => {
    const { unseen, sureness } = suggestion;
    assert.ok(unseen);
    assert.equal(unseen.days, 8);
    assert.ok(unseen.suggested.cost < unseen.present.cost);
    assert.equal(sureness, 'fairly sure');
    assert.match(
      surenessWords(suggestion, 1000),
      /^Fairly sure\. On days that were not used to make it, it costs \$/,
    );
  });

  it('can be pasted into the configuration file', () => {
    const text = `${tableText(suggestion.table)}\n[MASTER]\npoll_interval = 0.5\nserver_status_url = http://localhost/server-status\n[SLAVE]\ninstance_type = m5.large\nspot_bid = 0.1\nports = 8101\nregion = us-west-2\nimage_id = ami-0a254c1f7e93b8d60\n`;
    const { config, problems, warnings } = parseConfig('pasted', text);
    assert.deepEqual([...problems, ...warnings], []);
    assert.deepEqual(config?.loadTable, suggestion.table);
  });

  it('is the same every time', () => {
    assert.deepEqual(suggestionFor(week), suggestion);
  });

  it('comes with choices: who pays more is served better', () => {
    assert.ok(suggestion.choices.length >= 2 && suggestion.choices.length <= 5);
    for (const [index, { whole }] of suggestion.choices.slice(1).entries()) {
      const before = suggestion.choices[index]?.whole;
      assert.ok(before && whole.cost > before.cost && whole.tooFew < before.tooFew);
    }
  });

  it('of a day or less is not sure, and says why', () => {
    const short = suggestionFor(builtInTrace('burst', '1'));
    assert.equal(short.unseen, undefined);
    assert.equal(short.sureness, 'not sure');
    assert.match(surenessWords(short, 1000), /^Not sure: the load covers a day or less/);
  });

  it('of three days is not sure', () => {
    assert.equal(suggestionFor(noons(3)).sureness, 'not sure');
  });

  it('is none where no slave is ever needed', () => {
    const quiet = createTrace({ name: 'quiet' }, new Uint8Array(7200));
    assert.equal(suggest(quiet, needOf(quiet, SETTINGS.loadTable), SETTINGS, WORLD), undefined);
  });
});

describe('the tables that are tried', () => {
  const anyTable = fc
    .array(fc.tuple(fc.integer({ min: 1, max: 999 }), fc.nat(6), fc.nat(3)), { minLength: 1, maxLength: 8 })
    .map(rows => {
      const rates = [...new Set(rows.map(([rate]) => rate / 10))];
      return rates.map((rate, index) =>
        row(rate, rows[index]?.[1] ?? 0, (rows[index]?.[1] ?? 0) + (rows[index]?.[2] ?? 0)),
      );
    });
  const share = fc.constantFrom(0.05, 0.3, 0.5, 0.85, 1);

  it('are valid: sorted, each load once, min never above max, and both rise with the load', () => {
    fc.assert(
      fc.property(anyTable, share, share, share, share, (table, first, firstHold, more, moreHold) => {
        const made = shaped(levelsOf(table), { first, firstHold, more, moreHold });
        for (const [index, it] of made.entries()) {
          const before = made[index - 1];
          assert.ok(it.min <= it.max);
          if (before === undefined) continue;
          assert.ok(before.requestsPerSecond < it.requestsPerSecond);
          assert.ok(before.min <= it.min && before.max <= it.max);
        }
      }),
    );
  });

  it('never have a later launch than the table that they are made of', () => {
    const levels = levelsOf(SETTINGS.loadTable);
    assert.deepEqual(levels, [1, 2, 5, 7, 7]);
    const made = shaped(levels, { first: 0.8, firstHold: 0.3, more: 0.7, moreHold: 0.6 });
    for (let load = 0; load < 20; load += 0.05) {
      assert.ok(rangeFor(made, load).min >= rangeFor(SETTINGS.loadTable, load).min, `${load}`);
    }
  });
});
