import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import vm from 'node:vm';
import { MINUTE, SECOND } from '../../src/clock.ts';
import { dollars } from '../../src/format/money.ts';
import { builtInTrace } from '../../src/simulate/built-in.ts';
import { asJson } from '../../src/simulate/json.ts';
import { constantMarket } from '../../src/simulate/market.ts';
import { UPLOT_SCRIPT } from '../../src/simulate/page/assets.ts';
import { page } from '../../src/simulate/page/page.ts';
import { printed } from '../../src/simulate/print.ts';
import { createRandom } from '../../src/simulate/random.ts';
import { type Simulation, simulate } from '../../src/simulate/simulate.ts';
import { createTrace, type Trace } from '../../src/simulate/trace.ts';
import { budgetWords, moment, monthForecast, zoneName } from '../../src/simulate/words.ts';

const row = (requestsPerSecond: number, min: number, max: number) => ({ requestsPerSecond, min, max });
const SETTINGS = {
  loadTable: [row(0.5, 0, 2), row(1, 1, 3), row(5, 3, 6), row(10, 6, 8)],
  master: { pollInterval: 30 * SECOND, drainTime: MINUTE },
  slave: { spotBid: 0.1, bootTimeout: 10 * MINUTE },
};

function simulationOf(
  trace: Trace,
  more: { readonly suggest?: boolean; readonly name?: string } = {},
): Simulation {
  return simulate({
    trace,
    own: { name: more.name ?? 'aws_balancer.conf', settings: SETTINGS },
    other: { name: 'other.conf', settings: { ...SETTINGS, loadTable: [row(0.5, 1, 2)] } },
    world: {
      market: constantMarket(0.1),
      bootTime: 90 * SECOND,
      interruptions: 0.01,
      random: createRandom('output'),
    },
    suggest: more.suggest ?? false,
  });
}

const BURST = simulationOf(builtInTrace('burst', '1'), { suggest: true });
const PAGE = {
  remarks: ['a.log: 3 lines are not good'],
  price: '$0.10 an hour',
  madeBy: 'gbrowse-aws-balancer 1.2.3, 2026-11-25',
};
const ABOUT = { remarks: ['a.log: 3 lines are not good'], price: '$0.10 an hour' };

describe('the month', () => {
  const day = (cost: number) => ({ tooFew: 0, missing: 0, cost });
  const [own] = BURST.policies.filter(it => it.id === 'balancer');
  const withDays = (days: number, costs: readonly number[], budget?: number): Simulation => {
    assert.ok(own);
    const outcome = { ...own.outcome, days: costs.map(day) };
    const slave = { ...SETTINGS.slave, ...(budget !== undefined && { budget }) };
    const settings = { ...SETTINGS, slave };
    return { ...BURST, days, own: { name: 'a', settings }, policies: [{ ...own, outcome }] };
  };

  for (const [what, days, costs, month] of [
    ['of one day', 1, [1], 30.44],
    ['of half a day', 0.5, [1], 60.88],
    ['of ten days: by the last seven', 10, [9, 9, 9, 1, 1, 1, 1, 1, 1, 1], 30.44],
    ['whose last day is a half one', 9.5, [9, 9, 9, 1, 1, 1, 1, 1, 1, 0.5], 30.44],
  ] as const)
    it(`is forecast from a load ${what}`, () =>
      assert.ok(Math.abs(monthForecast(withDays(days, costs)) - month) < 1e-9));

  it('says how far the budget goes', () => {
    assert.match(budgetWords(withDays(1, [1])), /costs \$30\.44 .*; \[SLAVE\] budget sets a limit/);
    assert.match(budgetWords(withDays(1, [1], 60.88)), /50 % of \[SLAVE\] budget, \$60\.88\.$/);
    assert.match(budgetWords(withDays(1, [1], 15.22)), /200 % .* lasts for 15 days of the month/);
  });
});

describe('the text', () => {
  for (const columns of [80, 200]) {
    it(`fits ${columns} columns and shows every farm`, () => {
      const text = printed(BURST, ABOUT, { columns, unicode: true, colour: false });
      for (const line of text.split('\n')) assert.ok([...line].length <= columns, line);
      for (const { title } of BURST.policies) assert.ok(text.includes(`\n${title} `), title);
      assert.match(text, /A request meets too few slaves when fewer slaves serve than/);
      assert.match(text, /\n\[LOAD TABLE\]\n#req\/s {2}min max\n/);
      assert.ok(text.includes('a.log: 3 lines are not good'));
    });
  }

  it('is ASCII where the locale is not UTF-8, and has colours only where it may', () => {
    const plain = printed(BURST, ABOUT, { columns: 80, unicode: false, colour: false });
    assert.match(plain, /^[\n -~]*$/);
    const coloured = printed(BURST, ABOUT, { columns: 80, unicode: true, colour: true });
    assert.notEqual(stripVTControlCharacters(coloured), coloured);
  });

  it('of a trace of a second, and of one without a request, is text all the same', () => {
    for (const counts of [[1], new Uint8Array(7200)]) {
      const text = printed(simulationOf(createTrace({ name: 'x' }, counts), { suggest: true }), ABOUT, {
        columns: 80,
        unicode: true,
        colour: false,
      });
      assert.doesNotMatch(text, /NaN|Infinity|undefined/);
    }
  });
});

describe('the JSON', () => {
  it('has every policy with its figures, which add up', () => {
    const json = JSON.parse(JSON.stringify(asJson(BURST, ABOUT)));
    assert.deepEqual(
      json.policies.map((it: { id: string }) => it.id),
      [
        'none',
        'fixed',
        'original',
        'balancer',
        'auto',
        'other',
        ...(json.suggestion.kept ? [] : ['suggested']),
        'best',
      ],
    );
    for (const policy of json.policies) {
      const cost = policy.days.reduce((sum: number, day: { cost: number }) => sum + day.cost, 0);
      assert.ok(Math.abs(cost - policy.cost) < 1e-9, policy.id);
      assert.ok(Math.abs(policy.costPerDay * json.load.days - policy.cost) < 1e-9);
      assert.equal(json.series.slavesServing[policy.id].length, json.series.requestsPerSecond.length);
    }
    assert.equal(json.policies.at(-1).timesBest, 1);
    assert.equal(json.policies.at(-1).requestsWithTooFewSlaves, 0);
    assert.ok(json.suggestion.loadTable.length > 0 && json.suggestion.unseenDays === null);
  });
});

/** What stands in the place of a browser and of uPlot when the page's script is run. */
function fakeBrowser() {
  type Options = { readonly series: readonly { readonly label: string }[] };
  const plots: { readonly options: Options; readonly data: readonly number[][] }[] = [];
  class FakePlot {
    static paths = { stepped: () => () => null };
    scales = { x: { min: 0, max: 1 } };
    constructor(options: Options, data: readonly number[][]) {
      plots.push({ options, data });
    }
    setScale() {}
    setSize() {}
    redraw() {}
  }
  const window = {
    document: {
      documentElement: {},
      querySelector: () => ({ clientWidth: 800, textContent: 'needs JavaScript' }),
    },
    getComputedStyle: () => ({ getPropertyValue: () => ' #123456' }),
    matchMedia: () => ({ addEventListener() {} }),
    addEventListener() {},
  };
  return { plots, window, uPlot: FakePlot };
}

/** The parts of a page's script: the library, and what draws with it. */
function scriptOf(html: string): string {
  const [, script = ''] = /<script>\n([\s\S]*)<\/script>/.exec(html) ?? [];
  assert.ok(script.startsWith(UPLOT_SCRIPT.replaceAll('</script', '<\\/script')));
  return script.slice(UPLOT_SCRIPT.length);
}

describe('the page', () => {
  const html = page(BURST, PAGE);
  assert.match(
    html,
    /<p>A month like this load costs \$[\d.]+ with this balancer, without the volumes of slaves; \[SLAVE\] budget sets a limit\.<\/p>/,
  );

  it('loads nothing from anywhere', () => {
    assert.match(html, /Content-Security-Policy" content="default-src 'none'/);
    assert.doesNotMatch(
      html.replace(/<!--[\s\S]*?-->/g, ''),
      /<(link|img|iframe)|<script[^>]+src|@import|url\(/,
    );
  });

  it('has its numbers in it without JavaScript too', () => {
    const still = html.replace(/<script>[\s\S]*<\/script>/, '');
    for (const { title, outcome } of BURST.policies) {
      assert.ok(still.includes(`</span>${title}</th><td>${dollars(outcome.cost / BURST.days)}`), title);
    }
    assert.match(still, /<pre>\[LOAD TABLE\]\n#req\/s {2}min max\n/);
    assert.ok(still.includes('a.log: 3 lines are not good'));
    assert.match(still, /<title>[^<]+: simulated by gbrowse-aws-balancer 1\.2\.3, 2026-11-25<\/title>/);
  });

  it('draws load, slaves and cost with nothing but what it has', () => {
    const { plots, ...world } = fakeBrowser();
    vm.runInNewContext(scriptOf(html), world);
    const farms = BURST.policies.length - 1;
    assert.deepEqual(
      plots.map(({ options, data }) => [options.series.length, data.length]),
      [
        [3, 3],
        [3 + farms, 3 + farms],
        [1 + farms, 1 + farms],
      ],
    );
    // Without a label of its own a line is called "Value".
    for (const { options } of plots) for (const { label } of options.series) assert.match(label, /./);
    for (const { data } of plots) for (const values of data) assert.equal(values.length, 2880);
    const paid = plots[2]?.data.at(-1)?.at(-1) ?? 0;
    const own = BURST.policies.find(({ id }) => id === 'balancer');
    assert.ok(Math.abs(paid / (own?.outcome.cost ?? 0) - 1) < 0.01);
  });

  it('of thirty days is smaller than 2 MB', () => {
    const random = createRandom('thirty');
    const month = createTrace(
      { name: 'month', startedAt: Date.UTC(2026, 9, 1) },
      Array.from({ length: 30 * 86_400 }, () => random.integer(5)),
    );
    assert.ok(page(simulationOf(month), PAGE).length < 2e6);
  });

  it('shows names as they are, whatever is in them', () => {
    const evil = '</script><script>alert(1)</script><b>&"\u0007\u2028';
    const trace = { ...createTrace({ name: evil }, new Uint8Array(600).fill(3)) };
    const text = page(simulationOf(trace, { name: evil }), { remarks: [evil], price: evil, madeBy: evil });
    assert.doesNotMatch(text, /<b>|alert\(1\)<\/script>/);
    assert.ok(!text.includes('\u0007'));
    vm.runInNewContext(scriptOf(text), fakeBrowser());
  });
});

describe('moments of a trace', () => {
  it('have a date where the trace has one', () => {
    assert.deepEqual([0, 330, -480].map(zoneName), ['UTC', '+0530', '-0800']);
    assert.equal(moment({ startedAt: Date.UTC(2026, 9, 1), zone: 120 }, 1000), '2026-10-01 02:00');
    assert.equal(moment({ zone: 0 }, 26 * 3_600_000), 'day 2, 02:00');
  });
});
