import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { letterOf, send, testLetter } from '../../src/notify/send.ts';
import { directory, until } from '../daemon/fixtures/run.ts';

const isRoot = process.getuid?.() === 0;
const NOBODY = { uid: 65_534, gid: 65_534 };
/** The command never runs as root. */
const ordinary = isRoot ? { as: NOBODY } : {};
const MESSAGE = { topic: 'launches', event: 'trouble', sentence: 'EC2 says AKIASECRET\u001b[2J.' } as const;
const letter = letterOf(MESSAGE, 'web1', text => text.replaceAll('AKIASECRET', '***'));

/** A directory that everybody may write to. */
function open(t: Parameters<typeof directory>[0]): string {
  const made = directory(t);
  chmodSync(made, 0o777);
  return made;
}

describe('the command of notify', () => {
  beforeEach(() => {
    process.env.EC2_SECRET_KEY = 'sesame/OPEN+0123';
  });
  afterEach(() => {
    delete process.env.EC2_SECRET_KEY;
  });

  test('gets the message on standard input, and nothing of our environment', async t => {
    const place = open(t);
    await send(
      `cat > ${place}/text; env > ${place}/env; id -u > ${place}/uid; id -G > ${place}/groups`,
      letter,
      ordinary,
    );
    const read = (name: string) => readFileSync(path.join(place, name), 'utf8');
    assert.match(read('text'), /^EC2 says \*\*\*\\x1b\[2J\.\n\nRun "gbrowse-aws-balancer check"/);
    const names = read('env')
      .split('\n')
      .filter(Boolean)
      .map(line => line.split('=')[0]);
    assert.deepEqual(names.filter(it => !['PWD', 'OLDPWD', '_', 'SHLVL'].includes(it ?? '')).toSorted(), [
      'EVENT',
      'LANG',
      'MASTER',
      'PATH',
      'SUBJECT',
      'TOPIC',
    ]);
    assert.match(read('env'), /^SUBJECT=GBrowse render farm web1: no slave can be launched$/m);
    assert.match(read('env'), /^TOPIC=launches$/m);
    assert.notEqual(read('uid').trim(), '0');
    if (isRoot) assert.equal(read('groups').trim(), String(NOBODY.gid));
  });

  test('says in its subject that a trouble is over', () => {
    const over = letterOf(
      { ...MESSAGE, event: 'over', sentence: 'Slaves can be launched again.' },
      'web1',
      it => it,
    );
    assert.equal(over.subject, 'GBrowse render farm web1: over: no slave can be launched');
    assert.equal(over.text, 'Slaves can be launched again.\n');
  });

  test('is not run as root', { skip: !isRoot && 'needs root' }, async t => {
    const place = open(t);
    const rejected = { name: 'UserError', message: /\[MASTER\] notify is not run as root/ };
    await assert.rejects(send(`touch ${place}/ran`, testLetter('web1')), rejected);
    await assert.rejects(
      send(`touch ${place}/ran`, testLetter('web1'), { as: { uid: 0, gid: 0 } }),
      rejected,
    );
    assert.ok(!existsSync(path.join(place, 'ran')));
  });

  test('need not read its input, whatever its size', async () => {
    await send('exit 0', { ...letter, text: 'x'.repeat(1_000_000) }, ordinary);
  });

  test('that fails is an error that does not contain it', async () => {
    await assert.rejects(send('echo no connection >&2; exit 3 # token-1234', letter, ordinary), {
      name: 'UserError',
      message: '[MASTER] notify failed with exit status 3: no connection',
    });
  });

  test('is killed with all that it has started when its time is over', async t => {
    const place = open(t);
    const end = new AbortController();
    const sent = send(`sleep 1000 & echo $! > ${place}/pid; wait`, letter, {
      ...ordinary,
      signal: end.signal,
    });
    const pid = await until(() => {
      const file = path.join(place, 'pid');
      return existsSync(file) && Number(readFileSync(file, 'utf8'));
    });
    end.abort('over');
    await assert.rejects(sent, /\[MASTER\] notify was killed by SIGKILL/);
    await until(() => !isRunning(pid));
  });
});

function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
