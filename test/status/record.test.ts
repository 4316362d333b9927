import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as soon } from 'node:timers/promises';
import { HOUR, MINUTE, SECOND } from '../../src/clock.ts';
import type { Ec2 } from '../../src/ec2/api.ts';
import { Ec2Error } from '../../src/ec2/errors.ts';
import type { Log } from '../../src/log/log.ts';
import { createRedactor } from '../../src/log/redact.ts';
import { createRecord } from '../../src/status/record.ts';
import { REPORT, type Report } from '../../src/status/report.ts';
import { misfit } from '../../src/status/shape.ts';
import { createWorld, firstListed, type World, type WorldSettings } from '../balancer/world.ts';

const BID = 0.1;
const SECRET = 'sesame/OPEN+sesame/OPEN';

/** A balancer in a world of virtual time, and the record of it: its state is observed every second. */
function recorded(settings: WorldSettings, ec2?: Ec2) {
  const world = createWorld({ slave: { spotBid: BID }, ...settings });
  const record = createRecord({ clock: world.clock, redact: createRedactor([SECRET]).redact });
  record.introduce({ version: '9.9.9', pid: 42, master: 'a master' }, undefined);
  if (ec2 !== undefined) record.count(ec2);
  world.start();
  async function run(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += SECOND) {
      await world.run(Math.min(SECOND, ms - passed));
      record.observe(world.balancer.state, world.now());
    }
  }
  async function report(): Promise<Report> {
    const made = await record.report();
    assert.ok(made);
    assert.equal(misfit(REPORT, JSON.parse(JSON.stringify(made))), undefined);
    return made;
  }
  /** Goes on until the report is so. */
  async function when(what: string, is: (report: Report) => boolean): Promise<Report> {
    for (let minute = 0; minute < 60 * 60; minute++) {
      await run(SECOND);
      const made = await report();
      if (is(made)) return made;
    }
    return assert.fail(`never: ${what}`);
  }
  return { world, record, run, report, when };
}

/** An EC2 that tells a price, or an error. */
function market(price: number | Ec2Error): { readonly ec2: Ec2; readonly asked: () => number } {
  let asked = 0;
  return {
    asked: () => asked,
    ec2: async (_, request) => {
      asked += 1;
      await soon();
      if (typeof price !== 'number') throw price;
      assert.ok('InstanceTypes' in request);
      return {
        SpotPriceHistory: (request.InstanceTypes ?? []).flatMap(type =>
          ['a', 'b', 'c', 'd'].map(zone => ({
            InstanceType: String(type),
            AvailabilityZone: `us-west-2${zone}`,
            SpotPrice: String(price),
          })),
        ),
      } as never;
    },
  };
}

const idsOf = (world: World) =>
  world
    .live()
    .map(({ id }) => id)
    .toSorted();

describe('the report of a balancer', () => {
  it('is none before it has decided anything', async () => {
    const record = createRecord({ clock: createWorld().clock, redact: text => text });
    assert.equal(await record.report(), undefined);
  });

  it('has the slaves that there are, each in the state that the world shows', async () => {
    const { world, run, report, when } = recorded({ load: 3, table: [[1, 2, 3]] });
    const booting = await when('booting', ({ slaves }) => slaves.some(({ state }) => state === 'booting'));
    assert.deepEqual(booting.farm.listedUrls, []);
    assert.deepEqual(booting.wanted, { minSlaves: 2, maxSlaves: 3, rowRequestsPerSecond: 1 });
    await when(
      'serving',
      ({ slaves }) => slaves.length === 2 && slaves.every(({ state }) => state === 'serving'),
    );
    await run(10 * MINUTE);
    const { slaves, farm, load, launches, balancer } = await report();
    assert.deepEqual(slaves.map(({ instanceId }) => instanceId).toSorted(), idsOf(world));
    for (const slave of slaves) {
      const instance = world.cloud.account.instance(slave.instanceId);
      assert.ok(instance);
      assert.equal(slave.instanceType, instance.instanceType);
      assert.equal(slave.address, instance.publicAddress);
      assert.ok(slave.ageSeconds > 600 && slave.ageSeconds < 900, `${slave.ageSeconds}`);
    }
    assert.deepEqual(farm.listedUrls, world.farm.urls());
    assert.ok(Math.abs((load.requestsPerSecond ?? 0) - 3) < 0.2);
    assert.equal(load.isCurrent, true);
    assert.deepEqual([launches.lastHour, launches.heldUntil, launches.failedBootsInARow], [2, null, 0]);
    assert.equal(balancer.phase, 'running');
    assert.ok(Date.parse(balancer.nextPollAt ?? '') - world.clock.wall() <= 30 * SECOND);
  });

  it('says of a slave that leaves why, and how long it drains still', async () => {
    const { when } = recorded({
      load: [
        { from: 0, requestsPerSecond: 3 },
        { from: 20 * MINUTE, requestsPerSecond: 0 },
      ],
      table: [[1, 2, 2]],
    });
    const made = await when('draining', ({ slaves }) => slaves.some(({ state }) => state === 'draining'));
    const slave = made.slaves.find(({ state }) => state === 'draining');
    assert.equal(slave?.reason, 'more slaves than the load needs');
    const left = Date.parse(slave?.drainEndsAt ?? '') - Date.parse(made.time);
    assert.ok(left > 50 * SECOND && left <= 60 * SECOND, `${left}`);
    await when('ending', ({ slaves }) => slaves.some(({ state }) => state === 'ending'));
    const none = await when('none', ({ slaves }) => slaves.length === 0);
    assert.equal(none.money.pricePerHour, 0);
    assert.deepEqual(none.wanted, { minSlaves: 0, maxSlaves: 0, rowRequestsPerSecond: null });
  });

  it('says what slaves say of themselves when they are probed, by the balancer’s own clock', async () => {
    const { world, record, when } = recorded({ load: 3, table: [[1, 2, 2]] });
    const made = await when(
      'serving',
      ({ slaves }) => slaves.every(({ state }) => state === 'serving') && slaves.length === 2,
    );
    assert.deepEqual(
      made.slaves.map(it => [it.boot, it.renders]),
      [
        [null, null],
        [null, null],
      ],
    );
    const [first] = made.slaves;
    const said = { uptime: 100, phases: { kernel: 2.5, network: 6 }, renders: 7, lastRender: 90 };
    record.hearSlave(first?.address ?? '', said);
    record.hearSlave('10.99.99.99', said);
    const at = world.clock.wall();
    const [told, other] = (await record.report())?.slaves ?? [];
    assert.deepEqual([other?.boot, other?.renders], [null, null]);
    assert.deepEqual(told?.boot, {
      kernelStartedAt: new Date(at - 100 * SECOND).toISOString(),
      kernelSeconds: 2.5,
      networkSeconds: 6,
      dataSeconds: null,
      listeningSeconds: null,
    });
    assert.deepEqual([told?.renders, told?.lastRenderAt], [7, new Date(at - 10 * SECOND).toISOString()]);
  });

  it('says that a slave does not answer', async () => {
    const { world, when } = recorded({ load: 3, table: [[1, 1, 1]] });
    await when('serving', ({ slaves }) => slaves.some(({ state }) => state === 'serving'));
    world.slaves.set(firstListed(world).id, 'refuses');
    const { slaves } = await when('missed', made =>
      made.slaves.some(({ state }) => state === 'not answering'),
    );
    assert.match(slaves[0]?.reason ?? '', /^it missed its last (2 )?probes?$/);
  });

  it('says until when slaves are kept, and how long a boot takes here, once that is known', async () => {
    const { when } = recorded({
      load: [
        { from: 0, requestsPerSecond: 3 },
        { from: 10 * MINUTE, requestsPerSecond: 1.2 },
      ],
      table: [
        [1, 1, 3],
        [3, 3, 3],
      ],
      master: { releaseAfter: 'auto' },
    });
    const booting = await when('booting', ({ slaves }) => slaves.some(({ state }) => state === 'booting'));
    assert.deepEqual(booting.release, { keepTimeSeconds: 600, bootTimeSeconds: null, bootsMeasured: 0 });
    const kept = await when('kept', ({ slaves }) => slaves.some(({ keptUntil }) => keptUntil !== null));
    const { bootTimeSeconds, bootsMeasured, keepTimeSeconds } = kept.release;
    assert.equal(bootsMeasured, 3);
    assert.ok(bootTimeSeconds !== null && bootTimeSeconds > 0 && bootTimeSeconds < 90, `${bootTimeSeconds}`);
    assert.ok(Math.abs((keepTimeSeconds ?? 0) - 4 * (bootTimeSeconds + 60)) < 1);
    const until = kept.slaves.map(slave => slave.keptUntil);
    assert.equal(until.filter(it => it !== null).length, 2);
    const left = Date.parse(until[1] ?? '') - Date.parse(kept.time);
    assert.ok(left > 0 && left <= 1000 * (keepTimeSeconds ?? 0), `${left}`);
    await when('one is left', ({ slaves }) => slaves.length === 1);
  });

  it('says that launches wait after five slaves that did not become ready, and until when', async () => {
    const { when } = recorded({ load: 3, table: [[1, 1, 1]], slaves: { neverBoots: 1 } });
    const { launches } = await when('held', made => made.launches.failedBootsInARow >= 5);
    assert.match(launches.reason ?? '', /^5 slaves in a row did not become ready/);
    assert.ok(launches.heldUntil !== null);
  });

  it('says what fails and is tried again, and why the load is not known', async () => {
    const { world, when } = recorded({ load: 3, table: [[1, 1, 1]] });
    await when('serving', ({ slaves }) => slaves.some(({ state }) => state === 'serving'));
    world.cloud.faults.add({ action: 'DescribeInstances', code: 'UnauthorizedOperation' });
    const { retries } = await when('refused', made => made.retries.length > 0);
    assert.equal(retries[0]?.what, 'EC2 instances cannot be listed');
    assert.ok((retries[0]?.failuresInARow ?? 0) >= 1);
    world.cloud.faults.clear();
    await when('mended', made => made.retries.length === 0);
    world.apache.fail('403 Forbidden');
    const { load } = await when('unknown', made => !made.load.isCurrent);
    assert.match(load.error ?? '', /403 Forbidden/);
    assert.ok(load.requestsPerSecond !== null, 'the farm is kept at the last load that was known');
  });

  it('names every task that is tried again', async () => {
    const { world, record, report } = recorded({ load: 0 });
    const { state } = world.balancer;
    const failed = { failures: 1, action: undefined, trouble: undefined, notBefore: world.now() };
    for (const [kind, what] of [
      ['prepare', 'security group and launch template cannot be prepared'],
      ['save-spending', 'the expenses cannot be saved'],
      ['reload', 'Apache could not be told about the new farm'],
    ] as const) {
      record.observe({ ...state, retry: new Map([[kind, failed]]) }, world.now());
      assert.deepEqual(
        (await report()).retries.map(it => it.what),
        [what],
      );
    }
  });

  it('has an hour of load and slaves, and no more', async () => {
    const { run, report } = recorded({
      load: [
        { from: 0, requestsPerSecond: 0 },
        { from: 30 * MINUTE, requestsPerSecond: 4 },
      ],
      table: [[1, 2, 2]],
    });
    await run(90 * MINUTE);
    const { history, load } = await report();
    assert.ok(history.points.length >= 60 && history.points.length <= 61, `${history.points.length}`);
    const last = history.points.at(-2);
    assert.ok(Math.abs((last?.requestsPerSecond ?? 0) - 4) < 0.3, `${last?.requestsPerSecond}`);
    assert.deepEqual([last?.servingSlaves, last?.slaves, last?.minSlaves, last?.maxSlaves], [2, 2, 2, 2]);
    assert.ok(Math.abs((load.lastHourMeanRequestsPerSecond ?? 0) - 4) < 0.3);
    const times = history.points.map(({ time }) => Date.parse(time));
    for (const [index, time] of times.entries())
      if (index > 0) assert.equal(time - (times[index - 1] ?? 0), MINUTE);
  });

  it('reckons with the spot price where AWS tells it, with one call an hour', async () => {
    const { ec2, asked } = market(0.034);
    const { world, run, report } = recorded({ load: 3, table: [[1, 2, 2]] }, ec2);
    await run(3 * HOUR);
    const { money, slaves, ec2: calls } = await report();
    assert.ok(slaves.every(it => it.priceIsKnown && it.pricePerHour === 0.034));
    assert.equal(money.pricePerHour, 0.068);
    const cost = (world.now() / HOUR) * 0.068;
    assert.ok(Math.abs(money.sinceStart.dollars - cost) < 0.003, `${money.sinceStart.dollars} of ${cost}`);
    assert.deepEqual([money.isUpperBound, money.sinceStart.isUpperBound], [false, false]);
    assert.equal(asked(), 3);
    assert.deepEqual(calls.sinceStart, [{ action: 'DescribeSpotPriceHistory', calls: 3, errors: 0 }]);
  });

  it('reckons with the bid where AWS does not, says so, and asks once a day', async () => {
    const refusal = new Ec2Error('DescribeSpotPriceHistory', 'UnauthorizedOperation', `no ${SECRET}`);
    const { ec2, asked } = market(refusal);
    const { world, run, report } = recorded({ load: 3, table: [[1, 2, 2]] }, ec2);
    await run(3 * HOUR);
    const { money, slaves, ec2: calls } = await report();
    assert.ok(slaves.every(it => !it.priceIsKnown && it.pricePerHour === BID));
    const cost = (world.now() / HOUR) * 2 * BID;
    assert.ok(Math.abs(money.sinceStart.dollars - cost) < 0.01, `${money.sinceStart.dollars} of ${cost}`);
    assert.deepEqual([money.isUpperBound, money.sinceStart.isUpperBound], [true, true]);
    assert.equal(asked(), 1);
    assert.deepEqual([calls.errorsSinceStart, calls.lastError?.code], [1, 'UnauthorizedOperation']);
    assert.equal(calls.lastError?.message, 'no ***');
  });

  it('has what was said, without secrets, and whatever the log shows of it', async () => {
    const { record, run, report } = recorded({ load: 0 });
    const shown: string[] = [];
    const say = (message: string) => void shown.push(message);
    const ours: Log = { error: say, warn: say, info: () => {}, debug: () => {} };
    const log = record.hear(ours);
    log.info('launching 2 slaves');
    log.warn(`the key ${SECRET} is not good for this`);
    await run(SECOND);
    const { decisions, problems, messages } = await report();
    assert.deepEqual(
      decisions.map(({ message }) => message),
      ['launching 2 slaves', 'the key *** is not good for this'],
    );
    assert.deepEqual(
      problems.map(({ level }) => level),
      ['warn'],
    );
    assert.deepEqual(messages, { warnings: 1, errors: 0 });
    assert.deepEqual(shown, [`the key ${SECRET} is not good for this`], 'the log redacts for itself');
  });

  it('says that the balancer stops', async () => {
    const { world, when } = recorded({ load: 3, table: [[1, 1, 1]] });
    await when('serving', ({ slaves }) => slaves.some(({ state }) => state === 'serving'));
    world.balancer.stop();
    const made = await when('stopping', ({ balancer }) => balancer.phase === 'stopping');
    assert.equal(made.balancer.nextPollAt, null);
  });
});
