import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemCode } from '../../src/errors.ts';
import { createRandom } from '../../src/simulate/random.ts';
import type { Ec2StandIn } from '../peers/ec2-stand-in.ts';
import { startModStatus } from '../peers/mod-status.ts';
import { createMaster, type Master, type MasterOptions, type Running, until } from './world.ts';

/** The parts of a balancer's life, and how long (ms) after its beginning each is over. */
const PHASES = { start: 1500, launch: 1000, readiness: 1500, drain: 4000, stop: 5000 } as const;
export type Phase = keyof typeof PHASES;

/** When a balancer is killed: so many ms into a part of its life. */
export type Moment = { readonly phase: Phase; readonly after: number };

/** Moments that are spread over all parts of a life; the same for the same seed. */
export function drawMoments(seed: string, count: number): readonly Moment[] {
  const random = createRandom(seed);
  const phases = Object.keys(PHASES) as Phase[];
  return Array.from({ length: count }, (_, index) => {
    const phase = phases[index % phases.length] ?? 'start';
    return { phase, after: random.integer(PHASES[phase]) };
  });
}

/** The name of a master; another run on this machine, at the same time, has others. */
export function nameOf(index: number): string {
  return `kill ${process.pid} ${index}`;
}

/** What there was when it was killed. */
export type Found = {
  readonly instances: number;
  readonly templates: number;
  readonly groups: number;
  readonly listed: number;
  readonly takenUp: number;
};

/** The load table's largest max. */
const LARGEST_MAX = 3;

/** As EC2: an answer takes a while, and a new instance is shown after some seconds. */
export async function likeEc2(ec2: Ec2StandIn): Promise<void> {
  await ec2.settings({ lag: 2 });
}

/**
 * `kill -9` of a balancer at a moment of its life, a new start, and a stop: the second one takes up everything that the
 * first has left, there never are too many, and the account is empty in the end.
 */
export async function killOnce(
  t: Parameters<typeof createMaster>[0],
  ec2: Ec2StandIn,
  name: string,
  { phase, after }: Moment,
): Promise<Found> {
  const apache = await startModStatus(6);
  t.after(() => apache.stop());
  const options: MasterOptions = { ec2, name, statusUrl: apache.url };
  const master = createMaster(t, options);
  await master.account.fault({ action: '.*', delay: 0.1, count: 10_000 });

  const first = master.start();
  await begin(phase, master, first, () => apache.load(0));
  await sleep(after);
  await kill(first);
  const left = await master.account.state();
  const listed = master.farm().length;

  apache.load(6);
  const second = master.start();
  const isTakenUp = (id: string) => second.stderr().includes(`found running slave ${id} `);
  await until('two slaves serve, and no instance is lost', async () => {
    const live = new Set((await master.account.state()).instances.map(({ id }) => id));
    return (
      master.farm().length >= 2 &&
      second.stderr().includes('watching') &&
      left.instances.every(({ id }) => !live.has(id) || isTakenUp(id))
    );
  });
  const takenUp = left.instances.filter(({ id }) => isTakenUp(id));
  second.signal('SIGTERM');
  assert.equal(await second.ended(), 0);
  assert.deepEqual(master.farm(), []);
  assert.deepEqual(await master.account.remains(), []);
  const peak = await master.account.peak();
  assert.ok(peak <= LARGEST_MAX, `${peak} slaves at a time`);
  return {
    instances: left.instances.length,
    templates: left.templates.length,
    groups: left.groups.length,
    listed,
    takenUp: takenUp.length,
  };
}

/** Kills a balancer, unless its stop was quicker. */
async function kill(balancer: Running): Promise<void> {
  try {
    balancer.signal('SIGKILL');
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error;
  }
  const how = await balancer.ended();
  assert.ok(how === 'SIGKILL' || how === 0, `it ended with ${how}`);
}

/** Waits until a part of the balancer's life begins. */
async function begin(phase: Phase, master: Master, balancer: Running, unload: () => void): Promise<void> {
  const called = (action: string, answered: boolean) =>
    until(`it calls ${action}`, async () =>
      (await master.account.calls(action)).some(({ status }) => !answered || status !== null),
    );
  switch (phase) {
    case 'start':
      return;
    case 'launch':
      await called('CreateSecurityGroup', false);
      return;
    case 'readiness':
      await called('CreateFleet', true);
      return;
    case 'drain':
      await master.serving(2);
      unload();
      await balancer.said(/releasing slave/);
      return;
    case 'stop':
      await master.serving(2);
      balancer.signal('SIGTERM');
  }
}

/** Nothing at all lives in the account, and nothing ever was made without a master's tag. */
export async function assertEmpty(ec2: Ec2StandIn): Promise<void> {
  const { instances, groups, templates, requests } = await ec2.state();
  assert.deepEqual(
    instances.filter(it => it.state === 'pending' || it.state === 'running'),
    [],
  );
  assert.deepEqual([...groups, ...templates], []);
  for (const { id, tags } of [...instances, ...requests]) {
    assert.ok(tags['gbrowse-aws-balancer:master'] !== undefined, `${id} has no master`);
  }
}
