import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { test } from 'node:test';
import { findProcess } from '../../src/os/process.ts';
import { SLAVE, startAsWeb, WEB, world } from './fixtures/keeper-world.ts';
import { ask, asRoot, childrenOf, until } from './fixtures/run.ts';
import { startAlone, takeOver } from './fixtures/taken-over.ts';

test('what is not the URL of a slave does not get into the farm file', asRoot, async t => {
  const made = world(t);
  const { name } = startAsWeb(t, made);
  for (const url of ['file:///etc/passwd', `${SLAVE};id`, `${SLAVE}\n[x]`, '/etc/passwd']) {
    assert.match((await ask(name, { do: 'write', urls: [SLAVE, url] })).error ?? '', /refused/);
  }
  assert.equal(readFileSync(made.at('farm'), 'utf8'), '');
});

test('with a configuration that the user can change, nothing is done as root', asRoot, async t => {
  for (const own of ['conf', '.']) {
    const made = world(t);
    made.configure({
      renderfarmConf: made.at('farm'),
      reloadCommand: `id -u; cat ${made.at('root-only')} || true`,
    });
    writeFileSync(made.at('root-only'), 'secret of root', { mode: 0o600 });
    chownSync(made.at(own), WEB, WEB);
    const { name } = startAsWeb(t, made);
    assert.deepEqual(await ask(name, { do: 'reload' }), { value: String(WEB) });
    const { warnings } = JSON.parse(JSON.stringify((await ask(name, { do: 'state' })).value));
    assert.match(warnings[0], /read by user 33/);
    assert.match(
      warnings[1],
      /users other than root can change .*, so nothing in the file is done with root's rights/,
    );
    const written = await ask(name, { do: 'write', urls: [SLAVE] });
    if (own === '.') assert.equal(statSync(made.at('farm')).uid, WEB);
    else assert.match(written.error ?? '', /cannot be written/);
  }
});

test('root does not write a farm file where the user could plant a link', asRoot, async t => {
  const made = world(t);
  mkdirSync(made.at('web'));
  chownSync(made.at('web'), WEB, WEB);
  made.configure({ renderfarmConf: made.at('web/farm'), reloadCommand: 'id -u' });
  const { name } = startAsWeb(t, made);
  assert.deepEqual(await ask(name, { do: 'write', urls: [SLAVE] }), {});
  assert.equal(statSync(made.at('web/farm')).uid, WEB);
  assert.deepEqual(await ask(name, { do: 'read' }), { value: [SLAVE] });
  assert.deepEqual(await ask(name, { do: 'reload' }), { value: '0' });
});

test('a link in the place of the log makes nobody owner of anything', asRoot, async t => {
  const made = world(t);
  writeFileSync(made.at('precious'), 'precious', { mode: 0o644 });
  symlinkSync(made.at('precious'), made.at('log'));
  symlinkSync(made.at('not-yet-there'), made.at('log2'));
  for (const log of ['log', 'log2']) {
    const { balancer } = startAsWeb(t, made, '--logfile', made.at(log));
    assert.equal(await balancer.ended, 1);
    assert.match(balancer.stderr(), /cannot write the log file .*: permission denied/);
  }
  assert.equal(statSync(made.at('precious')).uid, 0);
  assert.equal(readFileSync(made.at('precious'), 'utf8'), 'precious');
  assert.ok(!existsSync(made.at('not-yet-there')));
});

test(
  'a link in the place of the log’s directory puts nothing into a directory of root’s',
  asRoot,
  async t => {
    const made = world(t);
    for (const name of ['precious', 'web']) mkdirSync(made.at(name));
    symlinkSync(made.at('precious'), made.at('web/logs'));
    chownSync(made.at('web'), WEB, WEB);
    const { balancer } = startAsWeb(t, made, '--logfile', made.at('web/logs/log'));
    assert.equal(await balancer.ended, 1);
    assert.ok(!existsSync(made.at('precious/log')));
  },
);

test('forged messages move the keeper to nothing', asRoot, async t => {
  const made = world(t);
  const { say } = await takeOver(t, made);
  writeFileSync(made.at('pid'), '1\n');
  const proof = made.at('proof');
  const refused = (id: number) => ({
    id,
    error: { message: 'refused: the keeper does not do this' },
  });

  assert.deepEqual(await say({ id: 1, ask: 'farm.reload' }), {
    id: 1,
    error: { message: 'refused: the configuration file does not belong to root alone' },
  });
  assert.partialDeepStrictEqual(await say({ id: 2, ask: 'config', configFile: '/etc/shadow' }), {
    value: { place: 'keeper', renderfarm: made.at('farm') },
  });
  const evil = { configFile: made.at('evil'), pidfile: made.at('farm'), account: { uid: 0 } };
  assert.deepEqual(await say({ id: 3, setUp: evil }), refused(3));
  assert.deepEqual(await say({ id: 4, ask: 'exec', command: `touch ${proof}` }), refused(4));
  assert.deepEqual(await say({ id: 5, ask: 'farm.write', urls: [`${SLAVE};touch ${proof}`] }), refused(5));
  assert.deepEqual(await say({ id: 6, ask: 'farm.write', urls: [SLAVE], file: proof }), { id: 6 });
  assert.deepEqual(await say({ id: 7, ask: 'farm.reload', reloadCommand: `touch ${proof}` }), {
    id: 7,
    value: '0',
  });
  // The pidfile of somebody else.
  assert.deepEqual(await say({ id: 8, ask: 'end', pidfile: made.at('farm') }), { id: 8 });
  assert.ok(!existsSync(proof));
  assert.ok(existsSync(made.at('pid')));
  assert.equal(readFileSync(made.at('farm'), 'utf8'), `${SLAVE}\n`);
});

test('a keeper that is not set up first of all ends', asRoot, async t => {
  const { keeper, channel } = startAlone(t);
  channel.write('{"id":1,"ask":"config"}\n');
  const [status] = await once(keeper, 'exit');
  assert.notEqual(status, 0);
});

test('a keeper that has died is noticed at once, and nothing waits for it', asRoot, async t => {
  const made = world(t);
  const { name, balancer } = startAsWeb(t, made);
  await ask(name, { do: 'read' });
  const [keeper = 0] = childrenOf(balancer.pid);
  process.kill(keeper, 'SIGKILL');
  assert.match(
    String((await ask(name, { do: 'died' })).value),
    /the part of the balancer that has root's rights, has ended \(.+\): the farm file can no longer be written/,
  );
  assert.equal((await ask(name, { do: 'write', urls: [SLAVE] })).status, 1);
  process.kill(balancer.pid, 'SIGUSR2');
  assert.equal(await balancer.ended, 0);
});

test(
  'a keeper that hangs fails in bounded time, and does not keep the balancer from ending',
  asRoot,
  async t => {
    const made = world(t);
    const { name, balancer } = startAsWeb(t, made);
    await ask(name, { do: 'read' });
    const [keeper = 0] = childrenOf(balancer.pid);
    process.kill(keeper, 'SIGSTOP');
    t.after(() => findProcess(keeper) !== undefined && process.kill(keeper, 'SIGKILL'));
    const { error, status } = await ask(name, { do: 'write', urls: [SLAVE] });
    assert.match(
      error ?? '',
      /"farm\.write" in the part of the balancer that has root's rights took longer than 12 s/,
    );
    assert.equal(status, 1);
    const exit = once(balancer.child, 'exit');
    process.kill(balancer.pid, 'SIGUSR2');
    assert.deepEqual(await exit, [0, null]);
    process.kill(keeper, 'SIGCONT');
    await until(() => findProcess(keeper) === undefined);
  },
);
