import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { commandLineOf } from '../../src/os/process.ts';
import { childrenOf } from '../daemon/fixtures/run.ts';
import { type Ec2StandIn, ec2Missing, startEc2 } from '../peers/ec2-stand-in.ts';
import { type ModStatus, startModStatus } from '../peers/mod-status.ts';
import { createMaster, until } from './world.ts';

const skip = process.getuid?.() === 0 ? ec2Missing() : 'only root can become another user';

describe('the part of a balancer that keeps root’s rights', { skip }, () => {
  let ec2: Ec2StandIn;
  let apache: ModStatus;
  before(async () => {
    [ec2, apache] = await Promise.all([startEc2(), startModStatus(6)]);
  });
  after(() => Promise.all([ec2.stop(), apache.stop()]));

  test('is killed: the balancer ends with status 1 and keeps its slaves, and the next one takes them up', async t => {
    const master = createMaster(t, { ec2, name: 'crippled', statusUrl: apache.url });
    const told = path.join(master.directory, 'told');
    mkdirSync(told);
    chmodSync(told, 0o777);
    master.configure({ notify: `(cat; env) >> ${told}/$TOPIC` });
    const balancer = master.start('--user', 'www-data');
    const slaves = await master.serving(2);
    const keeper = childrenOf(balancer.pid).find(pid => /keeper/.test(commandLineOf(pid)[0] ?? ''));
    assert.ok(keeper !== undefined, 'there is a keeper');
    process.kill(keeper, 'SIGKILL');

    assert.equal(await balancer.ended(), 1, balancer.stderr());
    assert.deepEqual((await master.serving(2)).map(it => it.id).sort(), slaves.map(it => it.id).sort());
    assert.equal((await master.account.calls('TerminateInstances')).length, 0);

    // Somebody was told, by a process without root's rights and without the keys, and not told again by the next one.
    assert.deepEqual(readdirSync(told), ['root']);
    const text = readFileSync(path.join(told, 'root'), 'utf8');
    assert.match(
      text,
      /^The part of the balancer that writes the farm file is gone\.\n\nThe balancer has ended/,
    );
    assert.match(text, /^SUBJECT=GBrowse render farm crippled: the part with root's rights is gone$/m);
    assert.doesNotMatch(text, /AWS_|E2E_/);
    assert.notEqual(statSync(path.join(told, 'root')).uid, 0);

    const next = master.start('--user', 'www-data');
    await until('the next one has taken them up', () => slaves.every(({ id }) => next.stderr().includes(id)));
    assert.match(await master.done('status'), /^Notify {4}last told: root, [\d: -]+; not over: root$/m);
    await master.done('check', '--topic', 'notify', '--notify', '--user', 'www-data');
    assert.deepEqual(readdirSync(told).toSorted(), ['root', 'test']);
    assert.equal(readFileSync(path.join(told, 'root'), 'utf8'), text);
    next.signal('SIGTERM');
    assert.equal(await next.ended(), 0, next.stderr());
    assert.equal((await master.account.calls('CreateFleet')).length, 1);
    assert.deepEqual(await master.account.remains(), []);
  });
});
