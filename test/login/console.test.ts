import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Ec2, Ec2Action, Ec2Actions } from '../../src/ec2/api.ts';
import { Ec2Error } from '../../src/ec2/errors.ts';
import { addedTo, hostKeysIn, knownHosts, readConsole } from '../../src/login/console.ts';
import { awaitHostKeys } from '../../src/login/prepare.ts';

/** A public key that nobody has the private half of: its 32 bytes are all the same. */
function blobOf(byte: number): string {
  const type = Buffer.from('ssh-ed25519');
  const length = (value: number) => Buffer.from([0, 0, 0, value]);
  return Buffer.concat([length(type.length), type, length(32), Buffer.alloc(32, byte)]).toString('base64');
}
const line = (byte: number) => `ssh-ed25519 ${blobOf(byte)} root@ip-10-0-0-5`;
const BEGIN = '-----BEGIN SSH HOST KEY KEYS-----';
const END = '-----END SSH HOST KEY KEYS-----';
const block = (...lines: readonly string[]) => [BEGIN, ...lines, END, ''].join('\r\n');
const key = (byte: number) => ({ type: 'ssh-ed25519', blob: blobOf(byte) });

describe('host keys on a console', () => {
  const cases: readonly (readonly [string, string, readonly number[]])[] = [
    ['a block', `booting\r\n${block(line(1))}login: `, [1]],
    ['two keys', block(line(1), line(2)), [1, 2]],
    ['lines with the prefix of syslog', `ec2: ${BEGIN}\r\nec2: ${line(1)}\r\nec2: ${END}\r\n`, [1]],
    [
      'a time of the kernel’s before each line',
      `[  9.1] ${BEGIN}\n[  9.1] ${line(1)}\n[  9.1] ${END}\n`,
      [1],
    ],
    ['keys that were made anew', block(line(1)) + block(line(2)), [2]],
    ['a block that is not at its end yet', block(line(1)) + [BEGIN, line(2)].join('\r\n'), [1]],
    ['a key outside of a block', `${line(1)}\r\n`, []],
    ['a key that another message broke', block(`${line(1).slice(0, 40)}[ 12.0] usb 1-1\r\n`, line(2)), [2]],
    ['a key under another type', block(line(1).replace('ssh-ed25519', 'ssh-rsa')), []],
    ['no console yet', '', []],
  ];
  for (const [what, console, expected] of cases) {
    test(what, () => assert.deepEqual(hostKeysIn(console), expected.map(key)));
  }

  test('make a list of known hosts under a name of our own', () => {
    assert.equal(knownHosts('i-1', [key(1)]), `i-1 ssh-ed25519 ${blobOf(1)}\n`);
  });
});

describe('what a console has new', () => {
  const long = 'x'.repeat(500);
  for (const [what, before, now, added] of [
    ['nothing', 'abc', 'abc', ''],
    ['more at its end', 'abc', 'abcdef', 'def'],
    ['its beginning is gone', `gone ${long}end`, `${long}end new`, ' new'],
    ['it has begun anew', `before ${long}`, 'after', 'after'],
    ['the first', '', 'abc', 'abc'],
  ] as const) {
    test(what, () => assert.equal(addedTo(before, now), added));
  }
});

/** EC2 whose console says one after the other; an error is thrown. The last is said for ever. */
function consoles(...texts: readonly (string | Error)[]): { readonly ec2: Ec2; readonly asked: unknown[] } {
  const asked: unknown[] = [];
  async function ec2<A extends Ec2Action>(action: A, request: Ec2Actions[A][0]): Promise<Ec2Actions[A][1]> {
    assert.equal(action, 'GetConsoleOutput');
    const text = texts[Math.min(asked.length, texts.length - 1)] ?? '';
    asked.push(request);
    if (text instanceof Error) throw text;
    const answer = { InstanceId: 'i-1', Output: Buffer.from(text).toString('base64') };
    // The assertion above says which action it is.
    return answer as Ec2Actions[A][1];
  }
  return { ec2, asked };
}

test('a type that is not of the Nitro system shows its console as it was after the boot', async () => {
  const { ec2, asked } = consoles(
    new Ec2Error('GetConsoleOutput', 'UnsupportedOperation', 'This instance type does not support it.'),
    'old',
  );
  assert.equal(await readConsole(ec2, 'i-1'), 'old');
  assert.deepEqual(asked, [{ InstanceId: 'i-1', Latest: true }, { InstanceId: 'i-1' }]);
});

describe('waiting for the host keys', () => {
  const clockFrom = () => {
    let now = 0;
    return {
      monotonic: () => now,
      sleep: async (ms: number) => {
        now += ms;
      },
    };
  };

  test('it says once that it waits, and goes on when they are there', async () => {
    const waits: string[] = [];
    const { ec2, asked } = consoles('', 'booting', block(line(1)));
    const found = await awaitHostKeys(ec2, 'i-1', { clock: clockFrom(), onWait: what => waits.push(what) });
    assert.deepEqual(found, [key(1)]);
    assert.equal(asked.length, 3);
    assert.equal(waits.length, 1);
    assert.match(waits[0] ?? '', /^waiting for the host keys on the console of i-1, at most 6 minutes/);
  });

  test('it ends in the end, and says whether there is a console at all', async () => {
    for (const [text, said] of [
      ['', /EC2 shows no console of it yet; try again/],
      ['login: ', /its image prints no host keys/],
    ] as const) {
      const { ec2, asked } = consoles(text);
      await assert.rejects(awaitHostKeys(ec2, 'i-1', { clock: clockFrom() }), said);
      assert.equal(asked.length, 73);
      await assert.rejects(awaitHostKeys(ec2, 'i-1', { patience: 0, clock: clockFrom() }), said);
      assert.equal(asked.length, 74);
    }
  });
});
