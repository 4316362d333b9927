import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { GBROWSE_PATHS, judgeSample } from '../../src/check/topics/load-log.ts';
import { reach } from '../../src/check/topics/mod-status.ts';
import { HOUR } from '../../src/clock.ts';
import { sampleLog } from '../../src/load/log/sample.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'load-log-'));
after(() => rmSync(directory, { recursive: true }));
const NOW = Date.now();
const line = (request: string) => `192.0.2.7 - - [17/May/2026:10:05:03 +0000] "${request}" 200 7 "-" "-"\n`;

async function findings(text: string, match?: RegExp, age = 0) {
  const file = path.join(directory, 'access.log');
  writeFileSync(file, text);
  const sample = await sampleLog(file, '/server-status', match);
  return judgeSample(file, { ...sample, changedAt: NOW - age }, match, NOW);
}

describe('load_log', () => {
  const mixed =
    line('GET /robots.txt HTTP/1.1').repeat(30) + line('GET /cgi-bin/gb2/gbrowse/yeast/ HTTP/1.1').repeat(10);
  const status = line('GET /server-status?auto HTTP/1.1').repeat(5);

  test('shows the share of the requests that match', async () => {
    const [found] = await findings(mixed + status, new RegExp(GBROWSE_PATHS));
    assert.equal(found?.verdict, 'ok');
    assert.match(
      found?.message ?? '',
      /its last lines hold 40 requests, of which 25\.0 % \(load_match\) count as load/,
    );
    assert.deepEqual(found?.details, { lines: 45, requests: 45, statusRequests: 5, counted: 10 });
  });

  const cases: readonly (readonly [
    what: string,
    text: string,
    match: RegExp | undefined,
    age: number,
    verdict: string,
    says: RegExp,
  ])[] = [
    [
      'a match that matches nothing',
      mixed,
      /jbrowse/,
      0,
      'problem',
      /matches none of the last 40 requests, such as: GET \/cgi-bin/,
    ],
    [
      'an error log',
      '[Sun May 17] [core:notice] AH00094\n',
      undefined,
      0,
      'problem',
      /none of its last 1 line contains a request/,
    ],
    ['an empty log', '', undefined, 0, 'warning', /is empty/],
    ['a log that nobody writes', mixed, undefined, 49 * HOUR, 'warning', /last written 2 d 1 h ago/],
  ];
  for (const [what, text, match, age, verdict, says] of cases) {
    test(`finds ${what}`, async () => {
      const found = (await findings(text, match, age)).find(it => it.verdict === verdict);
      assert.match(found?.message ?? '', says);
    });
  }

  test('of more than a megabyte is read at its end', async () => {
    const [found] = await findings(line('GET /old HTTP/1.1').repeat(40_000) + mixed, /gbrowse/);
    assert.equal(found?.details?.counted, 10);
  });

  const GBROWSE = [
    'GET /gb2/gbrowse/yeast/ HTTP/1.1',
    'GET /cgi-bin/gb2/gbrowse/yeast/?name=I HTTP/1.1',
    'POST /fgb2/gbrowse/yeast HTTP/1.1',
    'GET /mgb2/gbrowse_img/yeast/?name=I;type=Genes HTTP/1.1',
    'POST /cgi-bin/gb2/gbrowse?action=render HTTP/1.1',
    'GET /gb2/render HTTP/1.0',
  ];
  const OTHERS = [
    'GET /gbrowse2/images/buttons/x.png HTTP/1.1',
    'GET /robots.txt HTTP/1.1',
    'GET / HTTP/1.1',
  ];
  test("the example of the package matches GBrowse's own paths and no others", () => {
    for (const it of GBROWSE) assert.match(it, new RegExp(GBROWSE_PATHS), it);
    for (const it of OTHERS) assert.doesNotMatch(it, new RegExp(GBROWSE_PATHS), it);
  });
});

test('a table whose last row the workers of Apache can never serve is a warning', () => {
  const page = { totalAccesses: 1000, serverUptimeSeconds: 604, totalDuration: 8_000_000 };
  const table = [{ requestsPerSecond: 15, min: 1, max: 2 }];
  const found = reach({ ...page, workers: { busy: 10, idle: 6, free: 6 } }, table);
  assert.match(
    found[0]?.message ?? '',
    /last row of the load table \(15 requests\/s\) cannot be reached: at 8\.00 s a request.* 16 workers .* 2\.00 requests/,
  );
  assert.deepEqual(reach({ ...page, workers: { busy: 10, idle: 240, free: 240 } }, table), []);
  assert.deepEqual(reach({ ...page, totalDuration: 1000, workers: { busy: 1, idle: 1 } }, table), []);
});
