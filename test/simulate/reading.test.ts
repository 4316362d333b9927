import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createRequestFilter } from '../../src/load/log/counts.ts';
import { readLogs } from '../../src/simulate/read-logs.ts';
import { readRates } from '../../src/simulate/read-rates.ts';
import { requestsUntil, sped } from '../../src/simulate/trace.ts';
import { createDirectory, logLine } from './files.ts';

const START = Date.UTC(2026, 9, 1, 12);
const directory = createDirectory();
const logsOf = (files: readonly string[]) => readLogs(files, createRequestFilter('/server-status'));
after(directory.remove);

/** A log of a request every so many seconds. */
function log(count: number, every: number, from = START): string {
  return Array.from({ length: count }, (_, index) => logLine(from + index * every * 1000)).join('');
}

describe('logs', () => {
  it('are read whatever their order is, plain or gzip, by their bytes and not by their names', async () => {
    const first = directory.file('access.log', log(100, 10));
    const second = directory.file('access.log.1', gzipSync(log(50, 10, START - 3_600_000)));
    const one = await logsOf([first, second]);
    const other = await logsOf([second, first]);
    assert.deepEqual(one.trace.cumulative, other.trace.cumulative);
    assert.equal(one.trace.startedAt, START - 3_600_000);
    assert.equal(one.trace.seconds, 3600 + 991);
    assert.equal(requestsUntil(one.trace, 3_600_000), 50);
    assert.equal(requestsUntil(one.trace, 1e9), 150);
    assert.deepEqual(one.remarks, []);
  });

  it('of several gzip parts, as logrotate and cat make them, are read to their end', async () => {
    const parts = Buffer.concat([gzipSync(log(100, 1)), gzipSync(log(100, 1, START + 1e6)), gzipSync('')]);
    const { trace } = await logsOf([directory.file('parts.gz', parts)]);
    assert.equal(trace.cumulative.at(-1), 200);
  });

  it('that are empty are no matter beside others', async () => {
    const files = [
      directory.file('empty', ''),
      directory.file('some', log(3, 1)),
      directory.file('none.gz', gzipSync('')),
    ];
    assert.equal((await logsOf(files)).trace.cumulative.at(-1), 3);
  });

  it('with bad lines and status requests say so', async () => {
    const text = `${log(2, 1)}nonsense\n${logLine(START, 'GET /server-status?auto HTTP/1.1')}`;
    const file = directory.file('odd.log', text);
    const { remarks } = await logsOf([file]);
    assert.deepEqual(remarks, [
      `${file}: 1 line has no time or no request, left out; the first is line 3: nonsense`,
      `${file}: 1 request for the status page, left out as the balancer leaves them out`,
    ]);
  });

  const junk = Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7919) % 256));
  const packed = gzipSync(log(5000, 3));
  const damaged = Buffer.from(packed);
  damaged.fill(0x55, 200, 260);
  const broken: readonly (readonly [what: string, file: string, message: RegExp])[] = [
    ['that is not there', `${directory.path}/nowhere`, /nowhere: there is no such file/],
    ['that is a directory', directory.path, /is a directory, expected a file/],
    ['that is empty', directory.file('e', ''), /e: empty\nthere is no request to replay/],
    [
      'of junk',
      directory.file('junk', junk),
      /junk: all \d+ lines have no time or no request[\s\S]*there is no request/,
    ],
    [
      'of junk that begins like gzip',
      directory.file('g', Buffer.concat([Buffer.from([0x1f, 0x8b]), junk])),
      /g: its gzip data are damaged/,
    ],
    [
      'that was cut off',
      directory.file('cut.gz', packed.subarray(0, packed.length / 2)),
      /cut\.gz: its gzip data end too early/,
    ],
    ['that is damaged', directory.file('bad.gz', damaged), /bad\.gz: its gzip data are damaged/],
    [
      'of status requests alone',
      directory.file('s', logLine(START, 'GET /server-status HTTP/1.1')),
      /there is no request to replay/,
    ],
  ];
  for (const [what, file, message] of broken) {
    it(`one ${what} is an error that says so`, async () => {
      await assert.rejects(logsOf([file]), { name: 'UserError', exitStatus: 1, message });
    });
  }
});

describe('rates', () => {
  it('are the requests of each second, plain or gzip', async () => {
    const text = '0\n3\n1.5\n\r\n'.replace('\n\r\n', '\r\n2');
    for (const file of [directory.file('r', text), directory.file('r.gz', gzipSync(text))]) {
      const { trace } = await readRates(file);
      assert.deepEqual([...trace.cumulative], [0, 0, 3, 4.5, 6.5]);
      assert.equal(trace.startedAt, undefined);
    }
  });

  const wrong: readonly (readonly [what: string, text: string, message: RegExp])[] = [
    ['nothing', '', /: empty, expected/],
    ['a word', '1\n2\nmany\n', /:3: expected the requests in this second/],
    ['a blank line between', '1\n\n2\n', /:2: expected/],
    ['a negative number', '-1\n', /:1: expected/],
    ['two numbers', '1 2\n', /:1: expected/],
    ['infinity', '1e99\n', /:1: expected/],
    ['a line that does not end', '1'.repeat(100_000), /:1: expected/],
  ];
  for (const [what, text, message] of wrong) {
    it(`with ${what} are an error that names the line`, async () => {
      await assert.rejects(readRates(directory.file('wrong', text)), { name: 'UserError', message });
    });
  }
});

describe('a trace at another speed', () => {
  it('has the same requests in so much less time, and no dates', async () => {
    const { trace } = await logsOf([directory.file('sped', log(1001, 1))]);
    const fast = sped(trace, 4);
    assert.equal(fast.seconds, 250);
    assert.equal(fast.cumulative.at(-1), 1001);
    assert.ok(Math.abs(requestsUntil(fast, 125_000) - 500.5) < 3);
    assert.equal(fast.startedAt, undefined);
    assert.equal(sped(trace, 1), trace);
  });
});
