import type { Clock } from '../../src/clock.ts';
import { MINUTE, SECOND } from '../../src/clock.ts';
import type { Probe, ProbeAnswer } from '../../src/farm/farm.ts';
import { combined } from '../../src/farm/probe.ts';
import { type Delay, draw, type Random } from '../../src/simulate/random.ts';
import type { AccountView, InstanceView } from './ec2/view.ts';

/** What a slave does once its instance runs. */
export type SlaveBehaviour =
  /** Its ports answer, once it has booted. */
  | 'serves'
  /** Its process is gone: connections are refused. */
  | 'refuses'
  /** It accepts connections and never answers. */
  | 'hangs'
  /** It answers and refuses in turns, each for so long (ms). */
  | { readonly flaps: number };

/** What an instance will be, decided at its birth. */
export type Fate = {
  /** From running to answering, ms; Infinity for one that never boots. */
  readonly bootTime: number;
  readonly behaviour: SlaveBehaviour;
};

export type SlaveSettings = {
  readonly bootTime: Delay;
  /** How likely a slave never boots, 0 to 1. */
  readonly neverBoots: number;
  /** The ports that a slave listens on; any port when unset. */
  readonly ports?: readonly number[];
  /** The prober's time limit, ms: what a probe that gets no answer takes. */
  readonly timeLimit: number;
  /** What a probe that gets an answer takes, ms. */
  readonly roundTrip: number;
  /** Who probes. Set: the security groups must let it in, else its packets are dropped. */
  readonly master?: { readonly address: string; readonly groupIds?: readonly string[] };
};

export const DEFAULT_SLAVE_SETTINGS: SlaveSettings = {
  bootTime: [30 * SECOND, 1.5 * MINUTE],
  neverBoots: 0,
  timeLimit: 3 * SECOND,
  roundTrip: 2,
};

/** What a port does with a connection. */
export type PortAnswer = 'serves' | 'refuses' | 'hangs' | 'dark';

const ANSWERS: Readonly<Record<PortAnswer, ProbeAnswer>> = {
  serves: 'answered',
  refuses: 'refused',
  hangs: 'silent',
  dark: 'dark',
};

/** The slaves on the instances of a simulated account: what their ports do. */
export type SimulatedSlaves = {
  /** As the master's: what the ports at this address answer. */
  readonly probe: Probe;
  /** What this port of the holder of the address does now; `dark` where nobody has it, or a firewall stands before it. */
  answerAt(address: string, port: number): PortAnswer;
  /** The instances whose processes answer now, or swallow what they are sent. */
  listening(): readonly { readonly instance: InstanceView; readonly hangs: boolean }[];
  /** From now on this slave behaves so. */
  set(instanceId: string, behaviour: SlaveBehaviour): void;
  /** When the slave answers first, EC2's clock; Infinity when never. */
  bootedAt(instance: InstanceView): number;
};

/**
 * The slaves of an account. Their fates come from the seed and their instances' ids, so who looks at them when, and how
 * often, changes nothing.
 */
export function createSimulatedSlaves(options: {
  readonly clock: Clock;
  readonly random: Random;
  readonly account: AccountView;
  readonly settings?: Partial<SlaveSettings>;
}): SimulatedSlaves {
  const { clock, account, random } = options;
  const settings = { ...DEFAULT_SLAVE_SETTINGS, ...options.settings };
  const fates = new Map<string, Fate>();

  function fateOf(instanceId: string): Fate {
    const known = fates.get(instanceId);
    if (known !== undefined) return known;
    const own = random.fork(`slave ${instanceId}`);
    const fate: Fate = {
      bootTime: own.chance(settings.neverBoots) ? Number.POSITIVE_INFINITY : draw(own, settings.bootTime),
      behaviour: 'serves',
    };
    fates.set(instanceId, fate);
    // The dead are forgotten with the account's own memory of them.
    if (fates.size % 1000 === 0) {
      for (const id of fates.keys()) if (account.instance(id) === undefined) fates.delete(id);
    }
    return fate;
  }

  const bootedAt = (instance: InstanceView) => instance.runningAt + fateOf(instance.id).bootTime;

  /** What the processes do, whatever stands before them; undefined when there is no host to refuse anything. */
  function processOf(instance: InstanceView): 'serves' | 'refuses' | 'hangs' | undefined {
    if (instance.state !== 'running') return undefined;
    const { behaviour } = fateOf(instance.id);
    const up = account.now() - bootedAt(instance);
    if (up < 0) return 'refuses';
    if (typeof behaviour === 'string') return behaviour;
    return Math.floor(up / behaviour.flaps) % 2 === 0 ? 'serves' : 'refuses';
  }

  /** What the ports of the holder of the address do now. */
  function answersAt(address: string, asked: readonly number[]): PortAnswer[] {
    const instance = account.instanceAt(address);
    const process = instance === undefined ? undefined : processOf(instance);
    if (instance === undefined || process === undefined) return asked.map(() => 'dark');
    const { master, ports } = settings;
    return asked.map(port => {
      if (master !== undefined && !account.admits(instance.id, port, master.address, master.groupIds))
        return 'dark';
      return process === 'serves' && ports?.includes(port) === false ? 'refuses' : process;
    });
  }

  return {
    async probe(address, ports) {
      const said = () => combined(answersAt(address, ports).map(it => ANSWERS[it]));
      const before = answersAt(address, ports);
      const isMute = before.includes('hangs') || before.includes('dark');
      const answer = said();
      await clock.sleep(isMute ? settings.timeLimit : settings.roundTrip);
      return isMute ? answer : said();
    },
    answerAt: (address, port) => answersAt(address, [port])[0] ?? 'dark',
    listening: () =>
      account.instances().flatMap(instance => {
        const process = processOf(instance);
        return process === 'serves' || process === 'hangs' ? [{ instance, hangs: process === 'hangs' }] : [];
      }),
    set(instanceId, behaviour) {
      fates.set(instanceId, { ...fateOf(instanceId), behaviour });
    },
    bootedAt,
  };
}
