import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createRequestFilter } from '../../src/load/log/counts.ts';
import { createLogScanner, type LogTally } from '../../src/simulate/access-log.ts';
import { createSecondCounts } from '../../src/simulate/second-counts.ts';
import type { Trace } from '../../src/simulate/trace.ts';
import { mangled } from '../fuzz/mangle.ts';

const TIME = '17/May/2015:10:05:03 +0000';
const AT = Date.UTC(2015, 4, 17, 10, 5, 3);
const COMMON = `83.149.9.216 - - [${TIME}] "GET /gb2/gbrowse/yeast/ HTTP/1.1" 200 203023`;
const COMBINED = `${COMMON} "http://www.example.org/" "Mozilla/5.0 (X11; Linux x86_64)"`;

/** What a log's bytes give, in pieces of this size. */
function scan(
  bytes: Buffer,
  piece = bytes.length || 1,
): { readonly tally: LogTally; readonly trace?: Trace } {
  const counts = createSecondCounts();
  const scanner = createLogScanner('a.log', counts, createRequestFilter('/server-status'));
  for (let from = 0; from < bytes.length; from += piece) {
    // As a stream does, the place of one piece is used for the next.
    const place = Buffer.from(bytes.subarray(from, from + piece));
    scanner.write(place);
    place.fill(0);
  }
  const tally = scanner.end();
  return { tally, ...(tally.requests > 0 && { trace: counts.trace('a log').trace }) };
}

const lines = (...all: readonly string[]) => Buffer.from(all.map(it => `${it}\n`).join(''), 'latin1');

describe('a line of an access log', () => {
  const good: readonly (readonly [what: string, line: string, at?: number])[] = [
    ['in the common format', COMMON],
    ['in the combined format', COMBINED],
    ['with a user', COMMON.replace('- - [', '- alice [')],
    ['with a user of several words and brackets', COMMON.replace('- - [', '- a [b] c [')],
    ['with a virtual host before it', `www.example.org:80 ${COMBINED}`],
    ['of an IPv6 host', COMMON.replace('83.149.9.216', '2001:db8::1')],
    ['with a Windows line end', `${COMMON}\r`],
    ['with quotes in the request', COMMON.replace('yeast', 'y\\"ea\\"st')],
    [
      'with a request that was no HTTP',
      COMMON.replace('GET /gb2/gbrowse/yeast/ HTTP/1.1', '\\x16\\x03\\x01'),
    ],
    ['without a request', COMMON.replace('"GET /gb2/gbrowse/yeast/ HTTP/1.1" 200', '"-" 408')],
    ['without a size', COMMON.replace('203023', '-')],
    ['without a status', COMMON.slice(0, COMMON.lastIndexOf('" ') + 2)],
    ['without a zone', COMMON.replace(' +0000', '')],
    ['with nothing before the time', COMMON.slice(COMMON.indexOf('['))],
    ['in Latin-1', COMMON.replace('yeast', 'h\u00e9l\u00e8ne')],
    ['in a zone east of Greenwich', COMMON.replace('+0000', '+0530'), AT - 5.5 * 3_600_000],
    ['in a zone west of Greenwich', COMMON.replace('+0000', '-0800'), AT + 8 * 3_600_000],
    ['in a leap second', COMMON.replace('10:05:03', '23:59:60'), Date.UTC(2015, 4, 17, 23, 59, 59)],
    ['on a leap day', COMMON.replace('17/May/2015', '29/Feb/2016'), Date.UTC(2016, 1, 29, 10, 5, 3)],
  ];
  for (const [what, line, at = AT] of good) {
    it(`${what} is a request, at its moment`, () => {
      const { tally, trace } = scan(lines(line));
      assert.deepEqual([tally.requests, tally.bad, trace?.startedAt, trace?.seconds], [1, 0, at, 1]);
    });
  }

  const bad: readonly (readonly [what: string, line: string])[] = [
    ['text', 'Hello, world'],
    ['an error log', '[Sun May 17 10:05:03.000000 2015] [core:notice] [pid 1] AH00094: Command line'],
    ['no time', COMMON.replace(`[${TIME}] `, '')],
    ['a time cut off', COMMON.slice(0, 40)],
    ['a line cut off in its request', COMMON.slice(0, 60)],
    ['a month that is none', COMMON.replace('May', 'Mai')],
    ['a day that is none', COMMON.replace('17/May', '31/Jun')],
    ['the 29th of February of another year', COMMON.replace('17/May', '29/Feb')],
    ['an hour that is none', COMMON.replace(':10:05', ':24:05')],
    ['a minute that is none', COMMON.replace(':10:05', ':10:60')],
    ['letters in the time', COMMON.replace(':10:05', ':1o:05')],
  ];
  for (const [what, line] of bad) {
    it(`that is or has ${what} is counted as bad, with its number`, () => {
      const { tally, trace } = scan(lines(COMMON, '', line, COMMON, line));
      assert.deepEqual(tally, {
        requests: 2,
        bad: 2,
        firstBad: 3,
        firstBadText: line,
        status: 0,
        other: 0,
        zone: 0,
      });
      assert.equal(trace?.cumulative.at(-1), 2);
    });
  }

  it('for /server-status is left out, as the balancer does with its own', () => {
    const status = COMMON.replace('/gb2/gbrowse/yeast/', '/server-status?auto');
    assert.deepEqual(scan(lines(status, COMMON, status)).tally, {
      requests: 1,
      bad: 0,
      firstBad: 0,
      firstBadText: '',
      status: 2,
      other: 0,
      zone: 0,
    });
    const other = COMMON.replace('/gb2/gbrowse/yeast/', '/servers-of-the-status');
    assert.equal(scan(lines(other)).tally.requests, 1);
  });

  it('without an end is a line all the same', () => {
    assert.equal(scan(Buffer.from(`${COMMON}\n${COMBINED}`)).tally.requests, 2);
  });

  it('of a megabyte without an end is one bad line, and takes no memory', () => {
    const bytes = Buffer.concat([lines(COMMON), Buffer.alloc(1024 * 1024, 'x'), lines('', COMMON)]);
    assert.deepEqual(scan(bytes, 10_000).tally, {
      requests: 2,
      bad: 1,
      firstBad: 2,
      firstBadText: '(a line of more than 256 KiB)',
      status: 0,
      other: 0,
      zone: 0,
    });
  });
});

/** A line, and the second that it is of. */
const anyLine = fc
  .record({
    second: fc.integer({ min: 1_431_820_800, max: 1_431_820_800 + 3 * 86_400 }),
    zone: fc.constantFrom(-480, -60, 0, 60, 330, 765),
    line: fc.constantFrom(COMMON, COMBINED),
  })
  .map(({ second, zone, line }) => {
    const shown = new Date((second + zone * 60) * 1000);
    const month = shown.toLocaleString('en-US', { month: 'short', timeZone: 'UTC' });
    const two = (count: number) => String(Math.floor(count)).padStart(2, '0');
    const sign = zone < 0 ? '-' : '+';
    const time = `${two(shown.getUTCDate())}/${month}/${shown.getUTCFullYear()}:${shown.toISOString().slice(11, 19)} ${sign}${two(Math.abs(zone) / 60)}${two(Math.abs(zone) % 60)}`;
    return { second, text: line.replace(TIME, time) };
  });

describe('a log', () => {
  it('gives the requests of each second, whatever their order and zones, and however the bytes come', () => {
    fc.assert(
      fc.property(
        fc.array(anyLine, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 300 }),
        (all, piece) => {
          const { tally, trace } = scan(lines(...all.map(({ text }) => text)), piece);
          assert.deepEqual([tally.requests, tally.bad], [all.length, 0]);
          const first = Math.min(...all.map(({ second }) => second));
          assert.equal(trace?.startedAt, first * 1000);
          assert.equal(trace?.seconds, Math.max(...all.map(({ second }) => second)) - first + 1);
          for (const { second } of all) {
            const until = all.filter(it => it.second <= second).length;
            assert.equal(trace?.cumulative[second - first + 1], until);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('of whatever bytes: each line but blank ones and comments is a request, a status request or bad', () => {
    const corpus = [lines(COMMON, COMBINED, '', COMMON).toString('latin1'), `${COMMON}\r\n`, 'x'];
    fc.assert(
      fc.property(mangled(corpus), fc.integer({ min: 1, max: 50 }), (text, piece) => {
        const bytes = Buffer.from(text);
        const whole = scan(bytes);
        const count = text.split('\n').filter(it => {
          const first = [...it].find(character => character > ' ');
          return first !== undefined && first !== '#';
        }).length;
        assert.equal(whole.tally.requests + whole.tally.status + whole.tally.bad, count);
        assert.deepEqual(scan(bytes, piece), whole);
      }),
      { numRuns: 500 },
    );
  });

  it('of more than a year is refused: a date in it may be wrong', () => {
    const counts = createSecondCounts();
    for (let day = 0; day <= 400; day++) counts.add(day * 86_400, 'a.log', day);
    assert.throws(() => counts.trace('a log'), /more than a year apart \(from 1970-01-01 to 1971-02-05\)/);
  });
});
