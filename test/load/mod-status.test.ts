import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseStatus } from '../../src/load/mod-status.ts';

const EXTENDED = `localhost
ServerVersion: Apache/2.4.71 (Debian)
ServerMPM: event
Server Built: 2026-11-12T08:58:41
CurrentTime: Sunday, 22-Nov-2026 16:01:38 UTC
RestartTime: Sunday, 22-Nov-2026 15:01:38 UTC
ParentServerConfigGeneration: 1
ParentServerMPMGeneration: 0
ServerUptimeSeconds: 3600
ServerUptime: 1 hour
Load1: 0.27
Load5: 0.26
Load15: 0.22
Total Accesses: 1234
Total kBytes: 99
Total Duration: 88
Uptime: 3600
ReqPerSec: .342778
BusyWorkers: 1
IdleWorkers: 49
Scoreboard: _W______..........
`;

const READING = {
  totalAccesses: 1234,
  serverUptimeSeconds: 3600,
  restartTime: 'Sunday, 22-Nov-2026 15:01:38 UTC',
  workers: { busy: 1, idle: 49, free: 17 },
  totalDuration: 88,
};

const READABLE: Record<string, [text: string, expected: object]> = {
  'all fields': [EXTENDED, READING],
  'CR LF': [EXTENDED.replaceAll('\n', '\r\n'), READING],
  'tabs instead of blanks': [EXTENDED.replaceAll(': ', ':\t'), READING],
  'no final newline': [EXTENDED.trimEnd(), READING],
  'the counters alone': [
    'Total Accesses: 0\nServerUptimeSeconds: 0',
    { totalAccesses: 0, serverUptimeSeconds: 0 },
  ],
  'an old Apache, which has Uptime only': [
    'Total Accesses: 7\nTotal kBytes: 1\nUptime: 12\nBusyWorkers: 1',
    { totalAccesses: 7, serverUptimeSeconds: 12 },
  ],
  'the uptime of a server whose clock was set to before its start': [
    'Total Accesses: 7\nServerUptimeSeconds: 4294967290',
    { totalAccesses: 7, serverUptimeSeconds: 4294967290 },
  ],
};

for (const [what, [text, expected]] of Object.entries(READABLE)) {
  test(`mod_status is read with ${what}`, () => {
    assert.deepEqual(parseStatus(text), expected);
  });
}

test('mod_status is read whatever the order of its fields', () => {
  fc.assert(
    fc.property(
      fc.shuffledSubarray(EXTENDED.split('\n'), { minLength: EXTENDED.split('\n').length }),
      lines => {
        assert.deepEqual(parseStatus(lines.join('\n')), READING);
      },
    ),
    { numRuns: 50 },
  );
});

const USELESS: Record<string, [text: string, says: RegExp]> = {
  'ExtendedStatus Off': [
    EXTENDED.replace(/Total [\s\S]*?(?=BusyWorkers)/, ''),
    /ExtendedStatus is Off[\s\S]*\n {4}ExtendedStatus On$/,
  ],
  'the page for people': [
    '<html><head><title>Apache Status</title></head><body>\n<h1>Apache Server Status for localhost</h1>\n<dt>Total accesses: 12</dt>',
    /"\?auto"[\s\S]*server_status_url/,
  ],
  'another page': [
    '<!DOCTYPE html><title>My blog</title>',
    /not mod_status: the answer is another page[\s\S]*Require local/,
  ],
  'an empty page': ['', /the answer is empty/],
  'binary junk': ['\u0000\u0001ÿþ: \u0007', /another page/],
  'a counter that is no number': [
    EXTENDED.replace('1234', '12e4'),
    /"Total Accesses" is "12e4", not a whole number/,
  ],
  'a negative counter': [EXTENDED.replace('1234', '-3'), /"-3"/],
  'a counter beyond all bounds': [
    EXTENDED.replace('1234', '9'.repeat(400)),
    /"Total Accesses" is 9{40}, too large to be a count: the scoreboard is damaged/,
  ],
  'a counter of a damaged scoreboard': [
    'Total Accesses: 9985310457595812052\nUptime: 604',
    /too large to be a count: the scoreboard is damaged/,
  ],
  'an uptime that is no number': ['Total Accesses: 1\nUptime: ', /"ServerUptimeSeconds" is ""/],
};

for (const [what, [text, says]] of Object.entries(USELESS)) {
  test(`${what} is an error that says what to do`, () => {
    assert.throws(() => parseStatus(text), { name: 'UserError', exitStatus: 1, message: says });
  });
}

test('the advice names the configured address, but never gives the whole site to mod_status', () => {
  assert.throws(() => parseStatus('', '/apache/status'), /<Location "\/apache\/status">/);
  assert.throws(() => parseStatus('', '/'), /<Location "\/server-status">/);
});

test('any text is either read or a UserError', () => {
  const line = fc.oneof(fc.string(), fc.constantFrom(...EXTENDED.split('\n')));
  fc.assert(
    fc.property(fc.array(line), lines => {
      try {
        assert.ok(parseStatus(lines.join('\n')).totalAccesses >= 0);
      } catch (error) {
        assert.equal(error instanceof Error && error.name, 'UserError');
      }
    }),
  );
});
