import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadInWords } from '../../src/balancer/decide-scale.ts';
import { type Balancer, startBalancer } from '../../src/balancer/loop.ts';
import { MINUTE, SECOND } from '../../src/clock.ts';
import { dryRun } from '../../src/dry-run/dry-run.ts';
import type { Ec2Action } from '../../src/ec2/api.ts';
import { readingOnly } from '../../src/ec2/reading-only.ts';
import { ADDRESS, createWorld, MASTER, type World, type WorldSettings } from '../balancer/world.ts';

const TABLE: WorldSettings['table'] = [
  [1, 2, 3],
  [5, 4, 4],
];

/** A dry run in this world, and what it has said. */
function startDryRun(world: World, settings: WorldSettings = {}) {
  const said: { readonly at: number; readonly message: string }[] = [];
  const log = (message: string) => void said.push({ at: world.now(), message });
  const running: { balancer?: Balancer } = {};
  const { fleetAt, farm } = dryRun({
    ec2: readingOnly(world.cloud.ec2),
    clock: world.clock,
    say: log,
    load: () => (running.balancer && loadInWords(running.balancer.state)) ?? '',
    signal: new AbortController().signal,
  });
  const balancer = startBalancer(
    {
      clock: world.clock,
      readStatus: world.apache.readStatus,
      fleet: fleetAt({ name: MASTER, reach: 'public', image: 'GBrowse-2.54', address: ADDRESS }),
      probe: world.slaves.probe,
      farm: farm(world.farm),
      log: { error: log, warn: log, info: log, debug: () => {} },
    },
    {
      config: world.configOf(settings),
      runId: 'dry',
      listed: world.farm.urls(),
      ...(settings.spent !== undefined && { spent: { file: '/state/budget', read: settings.spent } }),
    },
  );
  running.balancer = balancer;
  return {
    balancer,
    messages: (pattern: RegExp) => said.filter(it => pattern.test(it.message)).map(it => it.message),
    text: () => said.map(it => `${it.at / SECOND} ${it.message}`).join('\n'),
  };
}

const changing = (world: World) => world.cloud.calls().filter(({ action }) => !action.startsWith('Describe'));

describe('a dry run', () => {
  it('holds the budget as the running balancer does: it would launch nothing, and would end what there is', async () => {
    const world = createWorld({ table: TABLE, load: 3 });
    world.start();
    await world.when('two serve', () => world.farm.urls().length === 2);
    world.kill();
    const before = changing(world).length;
    const month = new Date(world.clock.wall()).toISOString().slice(0, 7);
    const ledger = { months: { [month]: 5 }, doubt: { month, dollars: 0 } };
    const spent = { kind: 'value', value: ledger, writtenAt: world.clock.wall() } as const;
    const dry = startDryRun(world, { slave: { budget: 5 }, spent });
    await world.run(5 * MINUTE);
    assert.equal(dry.messages(/the budget of \$5.00 for \S+ is used up/).length, 1);
    assert.equal(dry.messages(/would list in the farm file: no slave/).length, 1, dry.text());
    assert.deepEqual(dry.messages(/would launch/), []);
    assert.equal(changing(world).length, before);
  });

  it('says once what it would launch, again when that changes, and changes nothing', async () => {
    const world = createWorld({
      table: TABLE,
      load: [
        { from: 0, requestsPerSecond: 3 },
        { from: 20 * MINUTE, requestsPerSecond: 7 },
        { from: 40 * MINUTE, requestsPerSecond: 0 },
        { from: 60 * MINUTE, requestsPerSecond: 3 },
      ],
    });
    const { messages, text, balancer } = startDryRun(world);
    await world.until(80 * MINUTE);
    const launches = messages(/^would launch/);
    // At 40 minutes the poll that straddles the fall sees half of the load.
    assert.deepEqual(
      launches.map(it => it.slice(0, 21)),
      ['would launch 2 slaves', 'would launch 4 slaves', 'would launch 2 slaves', 'would launch 2 slaves'],
      text(),
    );
    assert.match(
      launches[0] ?? '',
      /^would launch 2 slaves \(load 3\.\d+ requests\/s: 2 to 3 slaves wanted\): m5.large or m6i.large, for at most \$0.1 an hour each, from ami-0a254c1f7e93b8d60$/,
    );
    assert.deepEqual(messages(/could be|failed|fail/), []);
    assert.deepEqual(changing(world), []);
    assert.deepEqual(world.farm.writes(), []);
    balancer.stop({ keepSlaves: true });
    balancer.stop();
    assert.equal(await world.clock.run(balancer.ended), 'slaves kept');
    assert.deepEqual(changing(world), []);
  });

  it('beside the balancer itself sees its slaves come, and would do nothing more', async () => {
    const world = createWorld({ table: TABLE, load: 3 });
    const { messages, text } = startDryRun(world);
    world.start();
    await world.when('two in the farm', () => world.farm.urls().length === 2);
    await world.run(30 * MINUTE);
    const [writes, calls] = [world.farm.writes().length, changing(world).length];
    await world.run(30 * MINUTE);
    assert.equal(world.farm.writes().length, writes);
    assert.ok(messages(/^would/).length <= 4, text());
    // The activity tag of the balancer itself.
    assert.ok(changing(world).length - calls <= 2);
    assert.equal(world.live().length, 2);
  });

  it('says which slaves would leave the farm, and what the farm file would list', async () => {
    const world = createWorld({
      table: TABLE,
      load: [
        { from: 0, requestsPerSecond: 3 },
        { from: 20 * MINUTE, requestsPerSecond: 0 },
      ],
    });
    world.start();
    await world.until(15 * MINUTE);
    world.kill();
    const calls = changing(world).length;
    const { messages } = startDryRun(world);
    await world.until(40 * MINUTE);
    assert.equal(messages(/^releasing slave .*more slaves than the load needs/).length, 2);
    assert.deepEqual(messages(/^would list/), [
      'would list in the farm file: no slave: GBrowse would render locally',
    ]);
    assert.equal(world.farm.urls().length, 2);
    assert.equal(changing(world).length, calls);
  });

  it('says which slave it would terminate', async () => {
    const world = createWorld({ table: TABLE, load: 3, slaves: { bootTime: HOURS } });
    world.start();
    await world.run(MINUTE);
    world.kill();
    const { messages } = startDryRun(world);
    await world.run(15 * MINUTE);
    assert.equal(messages(/^would terminate i-\w+, i-\w+$/).length, 1);
    assert.equal(world.live().length, 2);
  });
});

const HOURS = 5 * 60 * MINUTE;

describe('EC2 for who only reads', () => {
  it('does not send an action that changes something, and reports a bug', async () => {
    const sent: string[] = [];
    const ec2 = readingOnly(async action => {
      sent.push(action);
      return {};
    });
    const acting: readonly Ec2Action[] = [
      'CreateFleet',
      'TerminateInstances',
      'CreateTags',
      'DeleteSnapshot',
    ];
    for (const action of acting) await assert.rejects(ec2(action, {}), new RegExp(`${action} was called`));
    await ec2('DescribeInstances', {});
    assert.deepEqual(sent, ['DescribeInstances']);
  });
});
