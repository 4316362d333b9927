import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { sparkline, squeezed } from '../../src/status/chart.ts';
import { printReport } from '../../src/status/print.ts';
import { clockTime, grouped, harmless, money, rate, shortSpan, span } from '../../src/status/words.ts';
import { lookOf } from '../../src/terminal/look.ts';
import { wrapped } from '../../src/terminal/wrap.ts';
import { report, slave, troubled } from './fixtures/report.ts';

const PLAIN = { width: 80, colour: false, utf8: true };
const text = (...given: Parameters<typeof printReport>) => printReport(...given).join('\n');

test('no line is longer than the terminal is wide, whatever there is to show', () => {
  const reports = [0, 1, 3, 40].map(count =>
    report(Array.from({ length: count }, (_, index) => slave(index))),
  );
  for (const it of [...reports, troubled()]) {
    for (const width of [80, 100, 132, 200, 300]) {
      for (const utf8 of [true, false]) {
        for (const line of printReport(it, { width, colour: false, utf8 }))
          assert.ok(line.length <= width, `${line.length} of ${width}: ${line}`);
      }
    }
  }
});

test('colours change nothing but the colour', () => {
  const coloured = text(troubled(), { ...PLAIN, colour: true });
  assert.ok(coloured.includes('\u001b[31mnot answering\u001b[0m'));
  assert.equal(stripVTControlCharacters(coloured), text(troubled(), PLAIN));
});

test('without UTF-8 there is nothing but ASCII', () => {
  assert.match(text(troubled(), { ...PLAIN, utf8: false }), /^[\x20-\x7e\n]*$/);
});

test('an idle balancer says in few lines that all is well', () => {
  const shown = text(report([]), PLAIN);
  assert.match(shown, /^Load {6}0\.00 requests\/s/m);
  assert.match(shown, /^Wanted {4}0 slaves \(below the first row of the load table\)$/m);
  assert.match(shown, /^Slaves {4}none: GBrowse renders locally$/m);
  assert.doesNotMatch(shown, /SLAVE|▁/);
});

test('trouble of every kind is to be seen, with its reason', () => {
  const shown = text(troubled(), PLAIN).replaceAll(/\s+/g, ' ');
  for (const pattern of [
    /requests\/s at the last measurement/,
    /it answers 403 Forbidden; put "Require local"/,
    /none before .* \(in 30 min\): 5 slaves in a row did not become ready; last: i-0123/,
    /EC2 cannot be looked at \(3 times\), again in 8 s/,
    /at most \$0\.11 an hour now/,
    /draining 42s .* its data are out of date/,
    /it missed its last 2 probes/,
    /snap-0aaaaaaaaaaaaaaaa \(old\): i-/,
    /warning: EC2 cannot be looked at: DescribeInstances: UnauthorizedOperation/,
  ])
    assert.match(shown, pattern);
});

test('on a wide terminal data and reasons have columns', () => {
  const shown = text(troubled(), { ...PLAIN, width: 200 });
  assert.match(shown, /\$\/HOUR {2}DATA +WHY$/m);
  assert.match(shown, /^i-\S+ .* snap-0aaaaaaaaaaaaaaaa \(old\) {2}its data are out of date$/m);
});

test('with a load that was never measured nothing is made up', () => {
  const base = report([]);
  const { load } = base;
  const shown = text(
    {
      ...base,
      wanted: null,
      load: {
        ...load,
        requestsPerSecond: null,
        isCurrent: false,
        measuredAt: null,
        lastHourMeanRequestsPerSecond: null,
        lastHourPeakRequestsPerSecond: null,
      },
    },
    PLAIN,
  );
  assert.match(shown, /^Load {6}not measured yet\nWanted {4}not known before the load is$/m);
});

test('a stop is said at the top', () => {
  const base = report([]);
  const at = (more: object) => text({ ...base, balancer: { ...base.balancer, ...more } }, PLAIN);
  assert.match(at({ phase: 'stopping', nextPollAt: null }), /^stopping \(process 4711\)$/m);
});

test('whatever texts a report has, none of them steers the terminal', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), nasty => {
      const base = report([
        slave(0, { address: nasty, reason: nasty, state: nasty, dataSnapshots: [nasty] }),
      ]);
      const event = { time: base.time, level: 'warn', message: nasty };
      const shown = text(
        {
          ...base,
          balancer: { ...base.balancer, master: nasty, version: nasty, configFile: nasty, phase: nasty },
          load: { ...base.load, error: nasty },
          decisions: [event],
          launches: { ...base.launches, reason: nasty },
          retries: [{ what: nasty, failuresInARow: 1, nextAttemptAt: base.time }],
          ec2: { ...base.ec2, today: [{ action: nasty, calls: 1, errors: 1 }], callsToday: 1 },
        },
        PLAIN,
      );
      assert.doesNotMatch(shown.replaceAll('\n', ''), /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
    }),
  );
});

test('a sparkline has a character a value, the higher the larger, and a blank for what is not known', () => {
  assert.equal(sparkline([0, 1, 4, 8, null], true), '▁▂▅█ ');
  assert.equal(sparkline([0, 1, 4, 8, null], false), '_.=# ');
  assert.equal(sparkline([0, 0], true), '▁▁');
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 2 }), values => {
      const line = sparkline(values, true);
      assert.equal(line.length, values.length);
      for (const [index, value] of values.entries()) {
        assert.equal(line[index] === '▁', value === 0);
        const next = values[index + 1] ?? value;
        if (value < next) assert.ok((line[index] ?? '') <= (line[index + 1] ?? ''));
      }
    }),
  );
});

test('a chart that has no room shows the peaks', () => {
  assert.deepEqual(squeezed([1, 9, 2, null, null, null, 3, 4], 4), [9, 2, null, 4]);
  assert.deepEqual(squeezed([1, 2], 4), [1, 2]);
});

test('numbers are short', () => {
  const spans: Readonly<Record<number, readonly [string, string]>> = {
    0: ['0 s', '0s'],
    42: ['42 s', '42s'],
    300: ['5 min', '5m'],
    7200: ['2 h', '2.0h'],
    11520: ['3 h 12 min', '3.2h'],
    352800: ['4 d 2 h', '4.1d'],
  };
  for (const [seconds, [long, short]] of Object.entries(spans)) {
    assert.equal(span(Number(seconds)), long);
    assert.equal(shortSpan(Number(seconds)), short);
  }
  assert.deepEqual([0, 0.0042, 1.2, 1234.5].map(money), ['$0.00', '$0.0042', '$1.20', '$1,234.50']);
  assert.deepEqual([0.123, 12.34, 1234.5].map(rate), ['0.12', '12.3', '1235']);
  assert.equal(grouped(1_234_567), '1,234,567');
  assert.equal(
    clockTime('2026-11-21T12:00:01.000Z', '2026-11-25T12:00:00.000Z').length,
    '2026-11-21 12:00:01'.length,
  );
  assert.match(clockTime('2026-11-21T12:00:01.000Z', '2026-11-21T12:00:05.000Z'), /^\d\d:\d\d:01$/);
});

test('text is broken between words, and nothing of it is lost', () => {
  assert.deepEqual(wrapped('one two three', 7), ['one two', 'three']);
  assert.deepEqual(wrapped('abcdefghij', 4), ['abcd', 'efgh', 'ij']);
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 40 }), (given, width) => {
      const lines = wrapped(given, width);
      for (const line of lines) assert.ok(line.length <= width);
      assert.equal(lines.join('').replaceAll(' ', ''), given.replaceAll(' ', ''));
    }),
  );
  assert.equal(harmless('a\n  b\u001b[2J'), 'a b\\x1b[2J');
});

test('80 columns in a pipe, colours on a terminal alone, UTF-8 where the locale says so', () => {
  const terminal = { isTTY: true, columns: 132 };
  assert.deepEqual(lookOf({}, { LANG: 'en_US.UTF-8' }), { width: 80, colour: false, utf8: true });
  assert.deepEqual(lookOf(terminal, {}), { width: 132, colour: true, utf8: false });
  assert.deepEqual(lookOf({ isTTY: true, columns: 0 }, {}).width, 80);
  assert.equal(lookOf(terminal, { NO_COLOR: '1' }).colour, false);
  assert.equal(lookOf(terminal, { NO_COLOR: '' }).colour, true);
  assert.equal(lookOf(terminal, { TERM: 'dumb' }).colour, false);
  assert.equal(lookOf(terminal, { LC_ALL: 'C', LANG: 'C.utf8' }).utf8, false);
  assert.equal(lookOf(terminal, { LC_ALL: '', LC_CTYPE: 'C.utf8' }).utf8, true);
});
