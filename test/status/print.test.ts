import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { printReport } from '../../src/status/print.ts';
import { lookOf } from '../../src/terminal/look.ts';
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
    /overloaded since [\d: -]+: no Apache worker is idle \(16 are busy\)/,
    /it answers 403 Forbidden; put "Require local"/,
    /none before .* \(in 30 min\): 5 slaves in a row did not become ready; last: i-0123/,
    /the last call failed, see the log: launches, [\d: -]+; not over: launches, load/,
    /EC2 instances cannot be listed \(3 times\), again in 8 s/,
    /at most \$0\.11 an hour now/,
    /draining 42 s .* its data are out of date/,
    /it missed its last 2 probes/,
    /snap-0aaaaaaaaaaaaaaaa \(old\): i-/,
    /warning: EC2 instances cannot be listed: DescribeInstances: UnauthorizedOperation/,
  ])
    assert.match(shown, pattern);
});

test('slaves that are kept are told with the time until which, and the boot time with what it comes of', () => {
  const until = (minutes: number) => new Date(Date.UTC(2026, 10, 22, 12, minutes, 7)).toISOString();
  const base = report([
    slave(0),
    slave(1, { keptUntil: until(40) }),
    slave(2, { keptUntil: until(40) }),
    slave(3, { keptUntil: until(36) }),
  ]);
  assert.match(
    text(base, PLAIN),
    /^ {10}1 kept until \d\d:\d\d, 2 kept until \d\d:\d\d in case the load comes back$/m,
  );
  assert.match(text(base, PLAIN), /^ {10}a boot takes 71 s here \(median of the last 5 boots\)$/m);
  assert.doesNotMatch(text(report([]), PLAIN), /kept|boot takes/);
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
  assert.match(shown, /^Load {6}not measured yet\nWanted {4}unknown until the load is known$/m);
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

const NOW = Date.UTC(2026, 10, 22, 12, 31, 5);
const ago = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();

test('what the slaves have drawn is told; a farm that is asked nothing by GBrowse is told to be idle', () => {
  const shown = (...given: Parameters<typeof slave>[1][]) =>
    text(report(given.map((more, index) => slave(index, more))), { ...PLAIN, width: 132 });
  const busy = shown({ renders: 1234, lastRenderAt: ago(20) }, { renders: 1, lastRenderAt: ago(3_000) });
  assert.match(busy, /^ {10}1,235 requests of GBrowse drawn, last seen 20 s ago$/m);
  assert.match(busy, /RENDERS\n.* 1,234\n/);
  const idle = /no slave has drawn anything for GBrowse for (\S+ \w+)/;
  assert.equal(idle.exec(shown({ renders: 0, readyAt: ago(3_600) }))?.[1], '60 min');
  assert.equal(idle.exec(shown({ renders: 9, lastRenderAt: ago(1_200) }))?.[1], '20 min');
  assert.match(shown({ renders: 0, readyAt: ago(120) }), /nothing drawn for GBrowse yet/);
  // One that does not tell may be the one that draws.
  assert.doesNotMatch(shown({ renders: 0, readyAt: ago(3_600) }, {}), idle);
  assert.doesNotMatch(shown({}, {}), /drawn|RENDERS/);
});

test('the parts of a boot are told, from the call to EC2 until a slave answers, as medians', () => {
  const boot = (kernel: number, listening: number | null) => ({
    launchedAt: ago(1_000),
    readyAt: ago(970),
    boot: {
      kernelStartedAt: ago(1_000 - kernel),
      kernelSeconds: 3,
      networkSeconds: 8,
      dataSeconds: 9,
      listeningSeconds: listening,
    },
  });
  const shown = (...boots: ReturnType<typeof boot>[]) =>
    text(report([...boots.map((more, index) => slave(index, more)), slave(9)]), { ...PLAIN, width: 132 });
  assert.match(
    shown(boot(9, 11), boot(12, 11), boot(17, 11)),
    /parts of a boot, in the median: EC2 12 s, kernel 3 s, network 5 s, data 1 s, listening 2 s, answering 7 s$/m,
  );
  // The guard has not seen yet that it listens.
  assert.match(shown(boot(9, null)), /EC2 9 s, kernel 3 s, network 5 s, data 1 s, answering 12 s$/m);
});

test('slaves on demand are told, with the time since when spot has no capacity', () => {
  const base = report([slave(0), slave(1, { onDemand: true })]);
  const bought = { ...base, launches: { ...base.launches, noSpotSince: '2026-11-22T12:11:05.000Z' } };
  const wide = text(bought, { ...PLAIN, width: 200 });
  assert.match(
    wide,
    /no spot capacity within the bid since 12:11:05; 1 runs on demand, at the full price, until spot slaves serve instead/,
  );
  for (const line of printReport(bought, PLAIN)) assert.ok(line.length <= 80, line);
  assert.match(wide, /m6i.xlarge on demand/);
  assert.doesNotMatch(text(base, PLAIN), /no spot capacity/);
});
