import assert from 'node:assert/strict';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { test } from 'node:test';
import { commandLineOf, findProcess } from '../../src/os/process.ts';
import { SLAVE, startAsWeb, WEB, world } from './fixtures/keeper-world.ts';
import { ask, asRoot, childrenOf, until } from './fixtures/run.ts';

test(
  'a balancer without privileges updates a farm file of root’s, and has Apache reloaded by root',
  asRoot,
  async t => {
    const made = world(t);
    const { name } = startAsWeb(t, made);
    assert.partialDeepStrictEqual((await ask(name, { do: 'state' })).value, {
      uid: WEB,
      groups: [WEB],
      home: '/var/www',
    });
    assert.deepEqual(await ask(name, { do: 'write', urls: [SLAVE] }), {});
    assert.equal(readFileSync(made.at('farm'), 'utf8'), `${SLAVE}\n`);
    assert.equal(statSync(made.at('farm')).uid, 0);
    assert.deepEqual(await ask(name, { do: 'read' }), { value: [SLAVE] });
    assert.deepEqual(await ask(name, { do: 'reload' }), { value: '0' });
    assert.match((await ask(name, { do: 'file', file: '/etc/shadow' })).error ?? '', /EACCES/);
  },
);

test('a farm file of the user’s in a directory of root’s is updated too', asRoot, async t => {
  const made = world(t);
  chownSync(made.at('farm'), WEB, WEB);
  const { name } = startAsWeb(t, made);
  assert.deepEqual(await ask(name, { do: 'write', urls: [SLAVE] }), {});
  assert.equal(readFileSync(made.at('farm'), 'utf8'), `${SLAVE}\n`);
});

test('the farm follows the configuration file, and a bad file changes nothing', asRoot, async t => {
  const made = world(t);
  const { name } = startAsWeb(t, made);
  await ask(name, { do: 'state' });
  made.configure({ renderfarmConf: made.at('second'), reloadCommand: 'echo new' });
  await ask(name, { do: 'write', urls: [SLAVE] });
  assert.ok(!existsSync(made.at('second')));
  assert.equal((await ask(name, { do: 'config' })).error, undefined);
  await ask(name, { do: 'write', urls: [SLAVE] });
  assert.equal(readFileSync(made.at('second'), 'utf8'), `${SLAVE}\n`);
  assert.deepEqual(await ask(name, { do: 'reload' }), { value: 'new' });

  writeFileSync(made.at('conf'), 'junk');
  assert.deepEqual(await ask(name, { do: 'config' }), {
    error: `${made.at('conf')}:1: no configuration, expected {`,
    status: 2,
  });
  assert.deepEqual(await ask(name, { do: 'reload' }), { value: 'new' });
});

test(
  'a balancer without access to the directory of the configuration file still notices that it was written',
  asRoot,
  async t => {
    const made = world(t);
    mkdirSync(made.at('closed'), { mode: 0o700 });
    const conf = made.at('closed/conf');
    writeFileSync(conf, JSON.stringify({ renderfarmConf: made.at('farm'), reloadCommand: 'none' }));
    const { name } = startAsWeb(t, made, '--conf', conf);
    const { value: before } = await ask(name, { do: 'mark' });
    assert.match(String(before), /^\d+ \d+ \d+ \d+$/);
    assert.deepEqual((await ask(name, { do: 'mark' })).value, before);
    utimesSync(conf, 1, 1);
    const { value: after } = await ask(name, { do: 'mark' });
    assert.match(String(after), /^\d+ \d+ \d+ \d+$/);
    assert.notEqual(after, before);
  },
);

test('after logrotate the log is created again for the user, in a directory of root’s', asRoot, async t => {
  const made = world(t);
  const { name, balancer } = startAsWeb(t, made, '--logfile', made.at('log'));
  await ask(name, { do: 'state' });
  renameSync(made.at('log'), made.at('log.1'));
  process.kill(balancer.pid, 'SIGHUP');
  await until(() => existsSync(made.at('log')) && readFileSync(made.at('log'), 'utf8').includes('reopened'));
  assert.equal(statSync(made.at('log')).uid, WEB);
  await ask(name, { do: 'log' });
  assert.match(readFileSync(made.at('log'), 'utf8'), /still here/);
  assert.doesNotMatch(readFileSync(made.at('log.1'), 'utf8'), /still here/);
});

test('in the end the keeper removes root’s pidfile and is gone', asRoot, async t => {
  const made = world(t);
  const { name, balancer } = startAsWeb(t, made, '--pidfile', made.at('pid'));
  await ask(name, { do: 'write', urls: [SLAVE] });
  assert.equal(readFileSync(made.at('pid'), 'utf8'), `${balancer.pid}\n`);
  const [keeper = 0] = childrenOf(balancer.pid);
  assert.equal(commandLineOf(keeper)[0], 'gbrowse-aws-balancer: keeper');
  process.kill(balancer.pid, 'SIGTERM');
  assert.equal(await balancer.ended, 0);
  assert.ok(!existsSync(made.at('pid')));
  assert.equal(readFileSync(made.at('farm'), 'utf8'), '');
  await until(() => findProcess(keeper) === undefined);
});

test('when the balancer is killed, the keeper ends, and the pidfile tells', asRoot, async t => {
  const made = world(t);
  const { name, balancer } = startAsWeb(t, made, '--pidfile', made.at('pid'));
  await ask(name, { do: 'state' });
  const [keeper = 0] = childrenOf(balancer.pid);
  balancer.child.kill('SIGKILL');
  await until(() => findProcess(keeper) === undefined);
  assert.equal(readFileSync(made.at('pid'), 'utf8'), `${balancer.pid}\n`);
});

test('signals for the whole group leave the keeper where it is', asRoot, async t => {
  const made = world(t);
  const { name, balancer } = startAsWeb(t, made);
  await ask(name, { do: 'state' });
  const [keeper = 0] = childrenOf(balancer.pid);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2']) process.kill(keeper, signal);
  assert.deepEqual(await ask(name, { do: 'reload' }), { value: '0' });
});

test('when the keeper dies, the balancer says what it cannot do any more', asRoot, async t => {
  const made = world(t);
  const { name, balancer } = startAsWeb(t, made);
  await ask(name, { do: 'state' });
  const [keeper = 0] = childrenOf(balancer.pid);
  process.kill(keeper, 'SIGKILL');
  await until(() => findProcess(keeper) === undefined);
  for (const wish of [{ do: 'write', urls: [SLAVE] }, { do: 'reload' }, { do: 'config' }]) {
    const { error, status } = await ask(name, wish);
    assert.match(error ?? '', /the keeper, .* has ended .*restart the balancer/);
    assert.equal(status, 1);
  }
});
