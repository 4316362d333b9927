import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { createRequestFilter } from '../../src/load/log/counts.ts';
import { readPriceHistory } from '../../src/simulate/prices.ts';
import { readLogs } from '../../src/simulate/read-logs.ts';
import { createTrace, requestsUntil } from '../../src/simulate/trace.ts';
import { createDirectory, logLine } from './files.ts';

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
const directory = createDirectory();
after(directory.remove);
const filter = createRequestFilter('/server-status');
const read = (...files: readonly string[]) => readLogs(files, filter);

describe('access logs as people have them', () => {
  /** Four requests, 20 s apart. */
  const SHAPES = [
    'L01-number-before-request.log',
    'L02-tabs-time-first.log',
    'L04-iso-in-brackets.log',
    'L05-no-brackets.log',
    'L06-request-unquoted.log',
    'L11-docker-json-file.log',
    'L14-two-spaces.log',
    'L18-crs-extended.log',
  ];
  for (const name of SHAPES) {
    it(`of the shape ${name}: every line is counted in its second`, async () => {
      const { trace, remarks } = await read(fixture(`logs/${name}`));
      assert.deepEqual(remarks, []);
      assert.equal(trace.seconds, 61);
      for (const [second, requests] of [
        [1, 1],
        [20, 1],
        [21, 2],
        [41, 3],
        [61, 4],
      ] as const)
        assert.equal(requestsUntil(trace, second * 1000), requests, `until ${second} s`);
    });
  }

  const at = '2026-05-17T10:05:03Z';
  const START = Date.parse(at);
  const LINES: Readonly<Record<string, string>> = {
    'JSON with a request': `{"time":"${at}","request":"GET /gb2/gbrowse/ HTTP/1.1","status":200}`,
    'JSON with method and path': `{"@timestamp":"${at}","method":"GET","path":"/gb2/gbrowse/"}`,
    'JSON with an object inside': `{"ts":${START / 1000},"http":{"method":"GET","url":"/gb2/gbrowse/"}}`,
    "JSON with Apache's time": '{"time":"17/May/2026:10:05:03 +0000","request":"GET / HTTP/1.1"}',
    'JSON with milliseconds': `{"timestamp":${START},"verb":"GET","uri":"/"}`,
    'the time last': '192.0.2.7 "GET /gb2/gbrowse/ HTTP/1.1" 200 738 [17/May/2026:10:05:03 +0000]',
    'a fraction of a second': '192.0.2.7 - - [17/May/2026:10:05:03.123 +0000] "GET / HTTP/1.1" 200 1',
    'a virtual host in quotes':
      '"www.example.org" 192.0.2.7 - - [17/May/2026:10:05:03 +0000] "GET / HTTP/1.1" 200 1',
    'many blanks': `192.0.2.7   -  -   [17/May/2026:10:05:03 +0000]  \t "GET / HTTP/1.1"  \t 200 1`,
    'a comma before the fraction': '2026-05-17 12:05:03,123+0200 GET / HTTP/1.1',
    'a blank before the clock': '127.0.0.1 - - [17/May/2026 10:05:03] "GET / HTTP/1.1" 200 -',
    'minus signs in the date': '[17-May-2026 10:05:03 UTC] 192.0.2.7 "GET / HTTP/1.1" 200',
    'slashes in an ISO date':
      '2026/05/17 10:05:03 "GET http://www.example.org/ HTTP/1.1" from 192.0.2.7 - 200 12B',
    "ctime's date": '192.0.2.7 - - [Sun May 17 10:05:03 2026] "GET / HTTP/1.1" 200 12',
    "ctime's date and microseconds": '192.0.2.7 [Sun May 17 10:05:03.123456 2026] "GET / HTTP/1.1" 200 12',
    "uWSGI's format":
      '[pid: 813|app: 0|req: 1/1] 192.0.2.7 () {40 vars in 628 bytes} [Sun May 17 10:05:03 2026] GET / => generated 12 bytes',
    'seconds since 1970': `${START / 1000} 192.0.2.7 "GET / HTTP/1.1" 200 12`,
    'milliseconds since 1970 in brackets': `192.0.2.7 - - [${START + 123}] "GET / HTTP/1.1" 200 12`,
    "Squid's format": `${START / 1000}.603    310 192.0.2.7 TCP_MISS/304 215 GET http://www.example.org/ - DIRECT/192.0.2.1 -`,
    'a date in the path and the time last':
      '192.0.2.7 "GET /x?from=2020-01-01T00:00:00 HTTP/1.1" 200 5 [17/May/2026:10:05:03 +0000]',
    "CloudFront's tabs":
      '#Version: 1.0\n#Fields: date time x-edge-location sc-bytes\n2026-05-17\t10:05:03\tLAX1\t392\t192.0.2.7\tGET\td1.cloudfront.net\t/index.html\t200\t-',
    "IIS's comments":
      '#Software: Microsoft Internet Information Services 10.0\r\n#Date: 2026-05-17 00:00:00\r\n2026-05-17 10:05:03 10.0.0.1 GET /Default.htm - 80 - 192.0.2.7 - 200 0 0 31\r',
    'single quotes': "192.0.2.7 - - [17/May/2026:10:05:03 +0000] 'GET / HTTP/1.1' 200 12",
    'bars between its fields': '192.0.2.7|-|17/May/2026:10:05:03 +0000|GET / HTTP/1.1|200|12',
    'commas between its fields': '192.0.2.7,2026-05-17T10:05:03Z,GET,/gb2/,200,12',
    'LTSV and a request':
      'time:[17/May/2026:10:05:03 +0000]\thost:192.0.2.7\treq:GET /gb2/ HTTP/1.1\tstatus:200',
    'LTSV, the path before the method': 'time:17/May/2026:10:05:03 +0000\turi:/gb2/\tmethod:GET\tstatus:200',
    logfmt: 'time="2026-05-17T10:05:03Z" level=info msg=request method=GET path=/gb2/ status=200',
    'NULs before it': `${'\0'.repeat(2_000_000)}192.0.2.7 - - [17/May/2026:10:05:03 +0000] "GET / HTTP/1.1" 200 1`,
    'JSON of nginx with $msec': `{"msec":"${START / 1000}.123","request":"GET /gb2/ HTTP/1.1","request_time":"0.01"}`,
    'JSON of Traefik': `{"Duration":1,"RequestMethod":"GET","RequestPath":"/gb2/","StartUTC":"${at}","time":"${at}"}`,
    'JSON of ECS': `{"@timestamp":"${at}","http":{"request":{"method":"GET"}},"url":{"path":"/gb2/"}}`,
    'JSON of ECS with dots': `{"@timestamp":"${at}","http.request.method":"GET","url.path":"/gb2/"}`,
    'JSON of a load balancer': `{"httpRequest":{"requestMethod":"GET","requestUrl":"https://www.example.org/gb2/"},"timestamp":"${at}"}`,
    'JSON of a firewall': `{"timestamp":${START},"httpRequest":{"uri":"/gb2/","httpMethod":"GET"}}`,
    'JSON of a gateway':
      '{"requestTime":"17/May/2026:10:05:03 +0000","httpMethod":"GET","resourcePath":"/gb2/"}',
    'JSON whose "time" is a duration': `{"time":0.034,"@timestamp":"${at}","method":"GET","path":"/gb2/"}`,
    'JSON without a zone': '{"time":"2026-05-17T10:05:03","request":"GET / HTTP/1.1"}',
    'JSON with date and time apart': '{"date":"2026-05-17","time":"10:05:03","method":"GET","uri":"/gb2/"}',
    'JSON whose "request" is a path':
      '{"time":"[17/May/2026:10:05:03 +0000]","request":"/gb2/","query":"","method":"GET"}',
    'JSON of journald': `{"MESSAGE":"192.0.2.7 - - [17/May/2026:10:05:03 +0000] \\"GET / HTTP/1.1\\" 200 5"}`,
    'JSON around a request without time': `{"log":"GET /gb2/ HTTP/1.1\\n","time":"${at}"}`,
    'JSON and a comma': `{"time":"${at}","request":"GET / HTTP/1.1","status":200},`,
    "JSON with Apache's own escapes": `{"time":"${at}","request":"GET /\\x22 HTTP/1.1","status":200}`,
    'no status': '[2026-05-17T10:05:03Z] "POST /gb2/render HTTP/1.0"',
  };
  for (const [what, line] of Object.entries(LINES)) {
    it(`with ${what}: the line is a request at its second`, async () => {
      const { trace, remarks } = await read(directory.file('one.log', `${line}\n`));
      assert.deepEqual([trace.startedAt, trace.cumulative.at(-1), remarks], [START, 1, []]);
    });
  }

  it('without a zone are in UTC, whatever the zone of this machine is', async () => {
    const zone = process.env.TZ;
    process.env.TZ = 'America/New_York';
    try {
      const { trace } = await read(directory.file('zone.log', `${LINES['JSON without a zone']}\n`));
      assert.equal(trace.startedAt, START);
    } finally {
      if (zone === undefined) delete process.env.TZ;
      else process.env.TZ = zone;
    }
  });

  it('with a line that is too long count the others, however the file is cut into pieces', async () => {
    const long = `${logLine(START).slice(0, -1)} ${'x'.repeat(1_000_000)}\n`;
    for (const text of [
      logLine(START) + long,
      long + logLine(START),
      `${logLine(START)}\n`.repeat(9000) + long,
    ]) {
      const { trace, remarks } = await read(directory.file('long.log', text));
      assert.equal(trace.cumulative.at(-1), text.split('\n').filter(line => line !== '').length - 1);
      assert.match(
        remarks.join(),
        /^[^\n]*: 1 line has no time or no request, left out; .* of more than 256 KiB/,
      );
    }
  });

  it('know a status request by its path where the address is a whole one', async () => {
    const text = logLine(START) + logLine(START, 'GET http://localhost/server-status?auto HTTP/1.1');
    const { remarks } = await read(directory.file('whole.log', text));
    assert.match(remarks.join(), /1 request for the status page/);
  });

  it('of status requests alone, at the path that server_status_url has, are no load', async () => {
    const file = fixture('logs/L16-whm-server-status.log');
    await assert.rejects(readLogs([file], createRequestFilter('/whm-server-status')), {
      message: /4 requests for the status page, left out[\s\S]*there is no request to replay/,
    });
    assert.equal((await read(file)).trace.cumulative.at(-1), 4, 'with another path they are');
  });

  it('are counted by load_match where there is one', async () => {
    const text =
      logLine(START) +
      logLine(START + 1000, 'GET /robots.txt HTTP/1.1') +
      logLine(START + 2000, 'GET /cgi-bin/gb2/gbrowse_img/yeast HTTP/1.1');
    const { trace, remarks } = await readLogs(
      [directory.file('match.log', text)],
      createRequestFilter('/server-status', /gbrowse|render/),
    );
    assert.equal(trace.cumulative.at(-1), 2);
    assert.match(remarks.join(), /1 request that load_match does not match, left out/);
  });

  it('two years apart are replayed without the old one, which is named with its line and date', async () => {
    const old = fixture('logs/G1-access.log.52');
    const { trace, remarks } = await read(fixture('logs/G1-access.log'), old);
    assert.equal(trace.startedAt, Date.parse('2025-03-01T10:00:00Z'));
    assert.deepEqual(remarks, [`${old}:1: 2 requests of 2023-05-01, far from all the others, left out`]);
  });

  it('with a line of 1970 are replayed without it', async () => {
    const file = fixture('logs/G2-clock.log');
    const { trace, remarks } = await read(file);
    assert.equal(trace.startedAt, Date.parse('2025-03-02T11:22:00Z'));
    assert.equal(trace.cumulative.at(-1), 4);
    assert.deepEqual(remarks, [`${file}:5: 1 request of 1970-01-01, far from all the others, left out`]);
  });

  it('with one old line among many of a week are replayed without it, though a year would hold both', async () => {
    const week = Array.from({ length: 500 }, (_, hour) => logLine(START + hour * 1_200_000)).join('');
    const file = directory.file('week.log', logLine(START - 60 * 86_400_000) + week);
    const { trace, remarks } = await read(file);
    assert.equal(trace.startedAt, START);
    assert.match(remarks.join(), /:1: 1 request of 2026-03-18, far from/);
  });

  it('of two months with a quiet time between are replayed whole', async () => {
    const day = (from: number) => Array.from({ length: 50 }, (_, n) => logLine(from + n * 60_000)).join('');
    const { trace, remarks } = await read(
      directory.file('two.log', day(START) + day(START + 40 * 86_400_000)),
    );
    assert.deepEqual([trace.cumulative.at(-1), remarks], [100, []]);
  });

  it('among which is a directory are read without it', async () => {
    const { remarks } = await read(directory.path, directory.file('file.log', logLine(START)));
    assert.deepEqual(remarks, [`${directory.path}: is a directory, left out`]);
  });

  it('that are not understood show their first bad line, and what is expected', async () => {
    await assert.rejects(read(directory.file('odd.log', 'time=now path=/x\nsecond\n')), {
      message: /all 2 lines have no time or no request.*line 1: time=now path=\/x[\s\S]*such as\n {4}192/,
    });
  });
});

describe('packed logs', () => {
  for (const name of ['ok.log.xz', 'ok.log.zst']) {
    it(`${name} is unpacked and counted`, { skip: name.endsWith('xz') && missing('xz') }, async () => {
      const { trace } = await read(fixture(`logs/${name}`));
      assert.ok((trace.cumulative.at(-1) ?? 0) > 0);
    });
  }

  const text = logLine(Date.parse('2026-05-17T10:05:03Z'));
  const tools: Readonly<Record<string, readonly string[]>> = {
    xz: ['-c'],
    bzip2: ['-c'],
  };
  for (const [tool, args] of Object.entries(tools)) {
    it(`of ${tool} are known by their first bytes`, { skip: missing(tool) }, async () => {
      const packed = spawnSync(tool, args, { input: text }).stdout;
      assert.equal((await read(directory.file('no-suffix', packed))).trace.cumulative.at(-1), 1);
      await assert.rejects(read(directory.file('cut', packed.subarray(0, packed.length - 20))), {
        name: 'UserError',
        message: /data are damaged or cut off/,
      });
    });
  }

  it('of zip are unpacked', { skip: missing('zip') || missing('unzip') }, async () => {
    const inside = directory.file('inside.log', text);
    spawnSync('zip', ['-j', '-q', `${directory.path}/log.zip`, inside]);
    assert.equal((await read(`${directory.path}/log.zip`)).trace.cumulative.at(-1), 1);
  });

  it('name the command that unpacks them where it is missing', async () => {
    const path = process.env.PATH;
    process.env.PATH = directory.path;
    try {
      await assert.rejects(read(fixture('logs/ok.log.xz')), {
        name: 'UserError',
        message:
          /is packed with xz, and there is no "xz".*apt-get install xz-utils.*xz -dc .*ok\.log\.xz > access\.log/,
      });
    } finally {
      process.env.PATH = path;
    }
  });

  it('of zstd that are cut off, or damaged, are an error that says so', async () => {
    const packed = zstdCompressSync(Buffer.from(text.repeat(2000)));
    await assert.rejects(read(directory.file('cut.zst', packed.subarray(0, 40))), { name: 'UserError' });
  });
});

/** Why a test that needs a command is skipped. */
function missing(command: string): string | false {
  return spawnSync(command, ['--version']).error === undefined ? false : `there is no ${command} here`;
}

describe('price files as people have them', () => {
  const trace = createTrace({ name: 'some' }, new Uint8Array(86_400));
  const wanted = { instanceTypes: ['m5.large'] };
  for (const name of ['P04-query-array.json', 'P07-powershell-utf16.json', 'P08-bom.json']) {
    it(`${name} is read`, async () => {
      const { about } = await readPriceHistory(fixture(`prices/${name}`), trace, wanted);
      assert.match(about, /\d pools? of capacity/);
    });
  }

  it('with Windows alone say so', async () => {
    await assert.rejects(readPriceHistory(fixture('prices/P10-windows-only.json'), trace, wanted), {
      message: /no Linux price of m5\.large; it has only Windows prices of m5\.large/,
    });
  });

  const entry = (more: object) => ({
    InstanceType: 'm5.large',
    ProductDescription: 'Linux/UNIX',
    SpotPrice: '0.04',
    Timestamp: '2026-05-17T00:00:00Z',
    ...more,
  });
  const page = (zone: string) =>
    JSON.stringify({ SpotPriceHistory: [entry({ AvailabilityZone: zone })], NextToken: '}{' });

  it('of several pages behind each other are read to the end, packed or not', async () => {
    const text = `${page('us-west-2a')}\n${page('us-west-2b')}${page('us-west-2c')}\n`;
    for (const content of [text, gzipSync(text)]) {
      const { about } = await readPriceHistory(directory.file('pages.json', content), trace, wanted);
      assert.match(about, /3 pools/);
    }
  });

  const three = ['a', 'b', 'c'].map(zone => entry({ AvailabilityZone: `us-west-2${zone}` }));
  const OTHERS: Readonly<Record<string, string>> = {
    'of entries behind each other, a line each': three.map(it => JSON.stringify(it)).join('\n'),
    'of pages in a list': JSON.stringify(three.map(it => ({ SpotPriceHistory: [it] }))),
    'with seconds since 1970': JSON.stringify(three.map(it => ({ ...it, Timestamp: 1779012000.5 }))),
    'with milliseconds since 1970': JSON.stringify(three.map(it => ({ ...it, Timestamp: 1779012000500 }))),
  };
  for (const [what, text] of Object.entries(OTHERS)) {
    it(`${what} are read`, async () => {
      const { about } = await readPriceHistory(directory.file('other.json', text), trace, wanted);
      assert.match(about, /3 pools/);
    });
  }

  const WRONG: Readonly<Record<string, readonly [text: string, message: RegExp]>> = {
    'is empty': ['\n', /: is empty, expected what "aws ec2/],
    'is cut off': [JSON.stringify(three).slice(0, -20), /: not JSON /],
    'is an error of the API': ['{"Error":{"Code":"x"}}', /: has no SpotPriceHistory, expected/],
    'has an entry of nothing': ['{"SpotPriceHistory":[null]}', /: entry 1 lacks InstanceType/],
    'is CSV': ['AvailabilityZone,SpotPrice\nus-west-2a,0.04\n', /: not JSON .*expected what "aws ec2/],
  };
  for (const [what, [text, message]] of Object.entries(WRONG)) {
    it(`of which one ${what} say so`, async () => {
      await assert.rejects(readPriceHistory(directory.file('wrong.json', text), trace, wanted), {
        name: 'UserError',
        message,
      });
    });
  }

  it('of which one is not there say what --price takes', async () => {
    await assert.rejects(readPriceHistory(`${directory.path}/none.json`, trace, wanted), {
      message: /none\.json: there is no such file \(--price takes dollars an hour, or a file\)$/,
    });
  });

  it('with ids of zones alone are read, and say that a zone cannot be told', async () => {
    const text = JSON.stringify([
      entry({ AvailabilityZoneId: 'usw2-az1' }),
      entry({ AvailabilityZoneId: 'usw2-az2' }),
    ]);
    const { about } = await readPriceHistory(directory.file('ids.json', text), trace, {
      ...wanted,
      availabilityZone: 'us-west-2a',
    });
    assert.match(about, /2 pools.*only zone ids, so us-west-2a cannot be told/);
  });
});
