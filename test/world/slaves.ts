import { MINUTE, SECOND } from '../../src/clock.ts';
import type { Probe } from '../../src/farm/farm.ts';
import type { Random } from '../../src/simulate/random.ts';
import { DATA_TAG } from '../../src/spot/tags.ts';
import type { Effect, SimulatedEc2 } from '../fake-aws/ec2/simulated-ec2.ts';
import type { InstanceView } from '../fake-aws/ec2/view.ts';
import { createSimulatedSlaves } from '../fake-aws/slaves.ts';
import type { VirtualClock } from '../fake-aws/virtual-clock.ts';
import { bornIn } from './answers.ts';
import { BROKEN } from './snapshots.ts';

/** How a slave may misbehave; `half`: of its ports only one answers. */
export type Misbehaviour = 'refuses' | 'hangs' | 'flaps' | 'half' | 'slow';

/** The slaves of a world, healthy and others, each with the guard that ends it when nobody contacts it. */
export type WorldSlaves = {
  readonly probe: Probe;
  /** From now on this slave behaves so; undefined: as it should. */
  behave(id: string, how: Misbehaviour | undefined): void;
  behaviour(id: string): Misbehaviour | undefined;
  /** Since when (true monotonic ms) its process gives no service; undefined: it does. */
  deadSince(id: string): number | undefined;
  /** To be called when a call has had its effect: instances that it has made begin their lives. */
  born(effect: Effect): void;
  /** The instances that the effect of this moment has made. */
  newborn(): ReadonlySet<string>;
  /** No slave that is launched from now on is born broken, unless its data are. */
  healthyBoots(): void;
};

export function createWorldSlaves(parts: {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly cloud: SimulatedEc2;
  /** The master's address, which slaves let in. */
  readonly address: string;
  /** How likely a slave never answers. */
  readonly brokenBoots: number;
  readonly note: (who: string, what: string) => void;
  /** A probe was answered on every port. */
  readonly onReady: (instance: InstanceView, address: string) => void;
}): WorldSlaves {
  const { clock, random, cloud } = parts;
  const { account } = cloud;
  const epoch = clock.wall();
  const slaves = createSimulatedSlaves({
    clock,
    random,
    account,
    settings: { bootTime: [10 * SECOND, 90 * SECOND], master: { address: parts.address } },
  });
  const odd = new Map<string, Misbehaviour>();
  const deadSince = new Map<string, number>();
  const contacted = new Map<string, number>();
  const newborn = new Set<string>();
  const fates = random.fork('fates');
  let { brokenBoots } = parts;

  function behave(id: string, how: Misbehaviour | undefined): void {
    if (account.instance(id) === undefined) return;
    if (how === undefined) odd.delete(id);
    else odd.set(id, how);
    if (how === 'refuses' || how === 'hangs') slaves.set(id, how);
    else slaves.set(id, how === 'flaps' ? { flaps: 7 * SECOND } : 'serves');
    const isDead = how === 'refuses' || how === 'hangs' || how === 'half';
    if (!isDead) deadSince.delete(id);
    else if (!deadSince.has(id)) deadSince.set(id, clock.monotonic());
  }

  /** The guard in the slave's user-data: nobody has contacted it for so long, so it powers itself off. */
  async function guard(id: string, timeout: number): Promise<void> {
    for (;;) {
      const left = (contacted.get(id) ?? 0) + timeout - clock.monotonic();
      if (left > 0) {
        await clock.sleep(Math.min(left, 12 * 60 * MINUTE));
        continue;
      }
      if (account.instance(id)?.state === 'running') {
        parts.note('slave', `${id} powers itself off: nobody has contacted it`);
        cloud.powerOff(id);
      }
      return;
    }
  }

  return {
    behave,
    behaviour: id => odd.get(id),
    newborn: () => newborn,
    healthyBoots() {
      brokenBoots = 0;
    },
    deadSince(id) {
      const instance = account.instance(id);
      const ended = instance === undefined ? 0 : (instance.endsAt ?? Number.POSITIVE_INFINITY) - epoch;
      const since = Math.min(ended, deadSince.get(id) ?? Number.POSITIVE_INFINITY);
      return since <= clock.monotonic() ? since : undefined;
    },
    born(effect) {
      newborn.clear();
      for (const id of bornIn(effect)) {
        if (contacted.has(id)) continue;
        newborn.add(id);
        const instance = account.instance(id);
        if (instance === undefined) continue;
        contacted.set(id, instance.runningAt - epoch);
        if (fates.chance(brokenBoots)) behave(id, fates.pick(['refuses', 'half']));
        const data = instance.tags[DATA_TAG]?.split(' ') ?? [];
        if (BROKEN.some(broken => data.includes(broken))) behave(id, 'refuses');
        void guard(id, orphanTimeoutOf(instance));
      }
    },
    async probe(address, ports) {
      const instance = account.instanceAt(address);
      const how = instance === undefined ? undefined : odd.get(instance.id);
      if (how === 'slow') await clock.sleep(2.5 * SECOND);
      const answer = await slaves.probe(address, ports);
      if (instance === undefined) return answer;
      const [port = 0] = ports;
      if (answer === 'answered' || slaves.answerAt(address, port) === 'serves' || how === 'hangs') {
        contacted.set(instance.id, clock.monotonic());
      }
      if (answer !== 'answered') return answer;
      if (how === 'half') return 'refused';
      parts.onReady(instance, address);
      return answer;
    },
  };
}

/** What the generated user-data says. */
function orphanTimeoutOf(instance: InstanceView): number {
  const script = Buffer.from(instance.launchTemplateData.UserData ?? '', 'base64').toString();
  const seconds = /^ORPHAN_SECONDS=(\d+)$/m.exec(script)?.[1];
  return seconds === undefined ? Number.POSITIVE_INFINITY : Number(seconds) * SECOND;
}
