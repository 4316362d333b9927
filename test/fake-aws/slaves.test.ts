import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MINUTE, SECOND } from '../../src/clock.ts';
import { createRandom } from '../../src/simulate/random.ts';
import type { Ec2Settings } from './ec2/settings.ts';
import { createWorld } from './ec2/world.ts';
import { createSimulatedSlaves, type SlaveSettings } from './slaves.ts';

const PORTS = [8101, 8102];

/** A world with one instance that runs after 10 s and whose slave has booted 30 s later. */
async function createSlave(settings: Partial<SlaveSettings> = {}, ec2Settings: Partial<Ec2Settings> = {}) {
  const world = createWorld(ec2Settings);
  const slaves = createSimulatedSlaves({
    clock: world.clock,
    random: createRandom('slaves'),
    account: world.account,
    settings: { bootTime: 30 * SECOND, timeLimit: 3 * SECOND, roundTrip: 2, ...settings },
  });
  const [id = ''] = await world.launch(1);
  const address = world.account.instance(id)?.privateAddress ?? '';
  /** What it answered, and how long that took. */
  async function probe(at = address, ports: readonly number[] = PORTS) {
    const before = world.clock.monotonic();
    const answered = await world.clock.run(slaves.probe(at, ports));
    return [answered, world.clock.monotonic() - before] as const;
  }
  return { ...world, slaves, id, address, probe };
}

const DROPPED = ['dark', 3 * SECOND] as const;
const SILENT = ['silent', 3 * SECOND] as const;
const REFUSED = ['refused', 2] as const;
const ANSWERED = ['answered', 2] as const;

test('a slave answers when it has booted: before, packets are lost, then refused', async () => {
  const { clock, probe, account, id } = await createSlave();
  assert.deepEqual(await probe(), DROPPED);
  await clock.runUntil(10 * SECOND);
  assert.deepEqual(await probe(), REFUSED);
  await clock.runUntil(40 * SECOND);
  assert.deepEqual(await probe(), ANSWERED);
  assert.deepEqual(await probe(account.instance(id)?.publicAddress), ANSWERED);
});

test('nobody answers at an address without an instance, nor at one whose instance shuts down', async () => {
  const { clock, probe, terminate, id } = await createSlave();
  await clock.runUntil(MINUTE);
  assert.deepEqual(await probe('172.31.9.9'), DROPPED);
  terminate(id);
  assert.deepEqual(await probe(), DROPPED);
});

test('a slave can die, hang, flap and come back', async () => {
  const { clock, probe, slaves, id } = await createSlave();
  await clock.runUntil(40 * SECOND);
  slaves.set(id, 'refuses');
  assert.deepEqual(await probe(), REFUSED);
  slaves.set(id, 'hangs');
  assert.deepEqual(await probe(), SILENT);
  slaves.set(id, 'serves');
  assert.deepEqual(await probe(), ANSWERED);
  slaves.set(id, { flaps: 10 * SECOND });
  const answers: string[] = [];
  for (let at = 60; at < 120; at += 5) {
    await clock.runUntil(at * SECOND);
    answers.push((await probe())[0]);
  }
  assert.deepEqual(
    answers.map(it => Number(it === 'answered')),
    [1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0],
  );
});

test('a slave that never boots never answers', async () => {
  const { clock, probe } = await createSlave({ neverBoots: 1 });
  await clock.runUntil(100 * MINUTE);
  assert.deepEqual(await probe(), REFUSED);
});

test('every port must answer', async () => {
  const { clock, probe, address } = await createSlave({ ports: PORTS });
  await clock.runUntil(MINUTE);
  assert.deepEqual(await probe(address, [8101]), ANSWERED);
  assert.deepEqual(await probe(address, [8101, 9999]), REFUSED);
});

test('a master that no rule lets in gets no answer', async () => {
  const master = { address: '192.0.2.7' };
  const { clock, probe, ec2, account } = await createSlave({ master });
  await clock.runUntil(MINUTE);
  assert.deepEqual(await probe(), DROPPED);
  await ec2('AuthorizeSecurityGroupIngress', {
    GroupId: account.groups()[0]?.id,
    IpPermissions: [
      { IpProtocol: 'tcp', FromPort: 8101, ToPort: 8102, IpRanges: [{ CidrIp: '192.0.2.7/32' }] },
    ],
  });
  assert.deepEqual(await probe(), ANSWERED);
});

test('who looks at a slave, and how often, does not change when it boots', async () => {
  const bootTime = [0, 10 * MINUTE] as const;
  const watched = await createSlave({ bootTime });
  const alone = await createSlave({ bootTime });
  const others = await watched.launch(3);
  await watched.clock.runFor(MINUTE);
  for (const other of others) await watched.probe(watched.account.instance(other)?.privateAddress);
  for (let time = 0; time < 5; time++) await watched.probe();
  const bootedAt = ({ slaves, account, id }: typeof alone) => {
    const instance = account.instance(id);
    assert.ok(instance);
    return slaves.bootedAt(instance);
  };
  assert.equal(bootedAt(watched), bootedAt(alone));
});
