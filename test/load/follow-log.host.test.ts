import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { followLog, type LogFollower } from '../../src/load/log/follow.ts';

const line = (request = 'GET /cgi-bin/gb2/gbrowse/yeast/ HTTP/1.1', time = '17/May/2026:10:05:03 +0000') =>
  `192.0.2.7 - - [${time}] "${request}" 200 738 "-" "Mozilla"\n`;

/** A log in a directory of its own, and a balancer that follows it. */
function setUp(t: TestContext, { before = '', match }: { before?: string; match?: RegExp } = {}) {
  const directory = mkdtempSync(path.join(tmpdir(), 'follow-'));
  const file = path.join(directory, 'access.log');
  if (before !== '') writeFileSync(file, before);
  const follower: LogFollower = followLog(file, '/server-status', match);
  t.after(async () => {
    await follower.close();
    rmSync(directory, { recursive: true });
  });
  const counted = async () => (await follower.read()).requests;
  return {
    directory,
    file,
    follower,
    counted,
    add: (...texts: string[]) => appendFileSync(file, texts.join('')),
  };
}

describe('an access log that is followed', () => {
  test('counts what arrives, and nothing of what was there', async t => {
    const { counted, add } = setUp(t, { before: line().repeat(1000) });
    assert.equal(await counted(), 0);
    add(line(), line());
    assert.equal(await counted(), 2);
    assert.equal(await counted(), 2);
  });

  test('counts by arrival, whatever time a line tells', async t => {
    const { counted, add } = setUp(t, { before: line() });
    await counted();
    add(
      line('GET / HTTP/1.1', '17/May/2099:10:05:03 +0000'),
      line('GET / HTTP/1.1', '01/Jan/1970:00:00:12 +0000'),
    );
    add('no time at all "GET / HTTP/1.1" 200 5\n');
    assert.equal(await counted(), 3);
  });

  const fixtures = new URL('../simulate/fixtures/logs/', import.meta.url);
  for (const name of readdirSync(fixtures).filter(it => it.startsWith('L') && !it.startsWith('L16'))) {
    test(`counts every line of the shape ${name}`, async t => {
      const { counted, add } = setUp(t, { before: line() });
      await counted();
      add(readFileSync(new URL(name, fixtures), 'utf8'));
      assert.equal(await counted(), 4);
    });
  }

  const SHAPES: Readonly<Record<string, string>> = {
    "CloudFront's tabs":
      '2026-05-17\t10:05:03\tLAX1\t392\t192.0.2.7\tGET\td1.example.org\t/gb2/gbrowse/\t200',
    LTSV: 'time:17/May/2026:10:05:03 +0000\turi:/gb2/gbrowse/\tmethod:GET',
    logfmt: 'time="2026-05-17T10:05:03Z" method=GET path=/gb2/gbrowse/ status=200',
    'the time of ctime': '192.0.2.7 [Sun May 17 10:05:03 2026] "GET /gb2/gbrowse/ HTTP/1.1" 200 1',
    'JSON without a time': '{"request_method":"GET","request_uri":"/gb2/gbrowse/"}',
    'JSON of objects in objects': '{"http":{"request":{"method":"GET"}},"url":{"path":"/gb2/gbrowse/"}}',
    'JSON that is not whole': '{"time":"2026-05-17T10:05:03Z","request":"GET /gb2/gbrowse/\\x22 HTTP/1.1"',
    'a whole address':
      '192.0.2.7 - - [17/May/2026:10:05:03 +0000] "GET https://example.org/gb2/gbrowse/ HTTP/2.0" 200 1',
    'bytes that are not UTF-8':
      '192.0.2.7 - - [17/May/2026:10:05:03 +0000] "GET /gb2/gbrowse/?\xe9 HTTP/1.1" 200 1',
  };
  for (const [what, text] of Object.entries(SHAPES)) {
    test(`counts a line of ${what} where it matches, and not one for the status page`, async t => {
      const { file, counted } = setUp(t, { before: line(), match: /\/gbrowse\b/ });
      await counted();
      const status = text.replace('/gb2/gbrowse/', '/server-status');
      const other = text.replace('/gb2/gbrowse/', '/robots.txt');
      for (const one of [text, status, other]) appendFileSync(file, `${one}\r\n`, 'latin1');
      assert.equal(await counted(), 1);
    });
  }

  test('leaves out status requests and what does not match', async t => {
    const { counted, add } = setUp(t, { before: line(), match: /\/(gbrowse|gbrowse_img|render)\b/ });
    await counted();
    add(
      line('GET /server-status?auto HTTP/1.1'),
      line('GET /robots.txt HTTP/1.1'),
      line('POST /fgb2/gbrowse/x?render=1 HTTP/1.1'),
    );
    assert.equal(await counted(), 1);
  });

  test('counts a line once it has its end, in whatever pieces it comes', async t => {
    const { counted, add } = setUp(t, { before: line() });
    await counted();
    const text = line();
    add(text.slice(0, 50));
    assert.equal(await counted(), 0);
    add(text.slice(50, 100));
    assert.equal(await counted(), 0);
    add(text.slice(100));
    assert.equal(await counted(), 1);
  });

  test('does not count the line that was being written at the start', async t => {
    const { counted, add } = setUp(t, { before: line().slice(0, 60) });
    await counted();
    add(line().slice(60), line());
    assert.equal(await counted(), 1);
  });

  test('is followed when it is renamed, and Apache writes into the old one for a while', async t => {
    const { file, counted, add } = setUp(t, { before: line() });
    await counted();
    add(line());
    renameSync(file, `${file}.1`);
    writeFileSync(file, '');
    appendFileSync(`${file}.1`, line());
    assert.equal(await counted(), 2);
    appendFileSync(`${file}.1`, line());
    add(line(), line());
    assert.equal(await counted(), 5);
    for (let reading = 0; reading < 20; reading++) await counted();
    appendFileSync(`${file}.1`, line());
    add(line());
    assert.equal(await counted(), 6, 'the old one is given up after a while');
  });

  test('is followed when it is copied and cut, even when it has grown beyond its old size since', async t => {
    const { file, counted, add } = setUp(t, { before: line() });
    await counted();
    add(line());
    assert.equal(await counted(), 1);
    copyFileSync(file, `${file}.1`);
    truncateSync(file);
    assert.equal(await counted(), 1);
    add(line());
    assert.equal(await counted(), 2);
    truncateSync(file);
    add(...Array.from({ length: 9 }, (_, n) => line(`GET /after/${n} HTTP/1.1`)));
    assert.equal(await counted(), 11);
  });

  test('that goes is a problem at the second reading, and is read from its beginning when it is back', async t => {
    const { file, follower, add } = setUp(t, { before: line() });
    await follower.read();
    unlinkSync(file);
    assert.deepEqual(await follower.read(), { requests: 0 });
    assert.match(
      (await follower.read()).problem ?? '',
      /access\.log \(load_log\) is not there\. Set load_log to/,
    );
    add(line());
    assert.deepEqual(await follower.read(), { requests: 1 });
  });

  test('that is not there yet is a problem, and is counted from its beginning when it comes', async t => {
    const { follower, add } = setUp(t);
    assert.match((await follower.read()).problem ?? '', /is not there/);
    add(line());
    assert.deepEqual(await follower.read(), { requests: 1 });
  });

  const isRoot = process.getuid?.() === 0;
  test('that may not be read names the group adm', {
    skip: isRoot && 'root may read everything',
  }, async t => {
    const { file, follower } = setUp(t, { before: line() });
    chmodSync(file, 0);
    assert.match((await follower.read()).problem ?? '', /group adm.*usermod -a -G adm USER/);
  });

  test('that is a directory, or a pipe that nobody writes into, is a problem and holds nothing up', async t => {
    const { directory, file } = setUp(t);
    mkdirSync(file);
    const one = followLog(file, '/server-status');
    assert.match((await one.read()).problem ?? '', /cannot be read/);
    const pipe = path.join(directory, 'pipe');
    spawnSync('mkfifo', [pipe]);
    const other = followLog(pipe, '/server-status');
    assert.match((await other.read()).problem ?? '', /not a regular file/);
  });

  test('with a line that does not end takes no memory, and goes on after it', async t => {
    const { counted, add } = setUp(t, { before: line() });
    await counted();
    const before = process.memoryUsage().rss;
    for (let megabyte = 0; megabyte < 50; megabyte++) {
      add('x'.repeat(1024 * 1024));
      await counted();
    }
    assert.ok(process.memoryUsage().rss - before < 40 * 1024 * 1024);
    add('\n', line());
    assert.equal(await counted(), 1);
  });

  test('counts every line once, however writing, reading and rotation interleave', async t => {
    let round = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('write', 'write', 'read', 'half', 'rename', 'cut'), { maxLength: 40 }),
        async steps => {
          const { file, counted, add, follower } = setUp(t, {
            before: line(`GET /round/${round++} HTTP/1.1`),
          });
          await counted();
          let [written, generation, n, half] = [0, 0, 0, ''];
          for (const step of steps) {
            if (step === 'write' || step === 'half') {
              const text = half === '' ? line(`GET /${round}/${n++} HTTP/1.1`) : half;
              const cut = step === 'half' && half === '' ? 40 : text.length;
              add(text.slice(0, cut));
              half = text.slice(cut);
              if (half === '') written++;
            }
            if (step === 'read') await counted();
            if (half !== '') continue;
            if (step === 'rename') {
              renameSync(file, `${file}.${++generation}`);
              writeFileSync(file, '');
              // Two rotations between two readings would lose what lies between.
              await counted();
            }
            if (step === 'cut') {
              await counted();
              truncateSync(file);
            }
          }
          add(half);
          if (half !== '') written++;
          assert.equal(await counted(), written);
          await follower.close();
        },
      ),
      { numRuns: 60 },
    );
  });
});
