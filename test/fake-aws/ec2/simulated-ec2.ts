import type { Clock } from '../../../src/clock.ts';
import type { Ec2, Ec2Action, Ec2Actions } from '../../../src/ec2/api.ts';
import { Ec2Error, isEc2Error, NO_ANSWER } from '../../../src/ec2/errors.ts';
import { INTERRUPTION_NOTICE } from '../../../src/simulate/market.ts';
import { draw, type Random } from '../../../src/simulate/random.ts';
import { createAccount } from './account.ts';
import { serve } from './actions.ts';
import { createFaults, type Fault, type Faults } from './faults.ts';
import { addKeyPair } from './key-pairs.ts';
import { endLife, type ReclaimReason } from './lifecycle.ts';
import { createMarket, giveNotice, type Market } from './market.ts';
import { Refusal } from './refusal.ts';
import { addGroup } from './security-groups.ts';
import { DEFAULT_EC2_SETTINGS, type Ec2Settings } from './settings.ts';
import { type AccountView, createAccountView } from './view.ts';

/** One call, in the order of their beginnings. */
export type CallRecord = {
  /** EC2's clock, ms since 1970. */
  readonly at: number;
  readonly action: Ec2Action;
  readonly request: Ec2Actions[Ec2Action][0];
  /** `ok`, EC2's error code, `NoAnswer`; `bug` for a request that the stand-in does not understand; unset: under way. */
  readonly outcome?: string;
};

/** A call that has just had its effect; its answer may still be lost. */
export type Effect = {
  [A in Ec2Action]: {
    readonly action: A;
    readonly request: Ec2Actions[A][0];
    readonly answer: Ec2Actions[A][1];
  };
}[Ec2Action];

/** EC2 in memory, with its other side: who looks at the account, runs the data centre, and breaks things. */
export type SimulatedEc2 = {
  readonly ec2: Ec2;
  readonly account: AccountView;
  readonly market: Market;
  readonly faults: Faults;
  /** The latest calls, as many as the settings keep. */
  calls(): readonly CallRecord[];
  /**
   * EC2 takes a spot instance back, after two minutes' notice unless told otherwise.
   *
   * @param options.finalAtOnce the request shows its final status while the instance still has its notice
   */
  interrupt(
    instanceId: string,
    notice?: number,
    options?: { readonly reason?: ReclaimReason; readonly finalAtOnce?: boolean },
  ): void;
  /** Somebody with the console terminates it. */
  terminate(instanceId: string): void;
  /** Somebody has made a key pair; the answer is its id. */
  addKeyPair(name: string, tags: Readonly<Record<string, string>>): string;
  /** It powers itself off. */
  powerOff(instanceId: string): void;
  /** It fails, as one does that cannot start (`Server.InternalError`, `Client.VolumeLimitExceeded`). */
  fail(instanceId: string, code?: string): void;
};

/**
 * An EC2 that lives in memory, and in the time of `clock`: nothing happens by itself, what is seen is computed from
 * moments when it is looked at. The same seed and the same calls give the same account.
 */
export function createSimulatedEc2(options: {
  readonly clock: Clock;
  readonly random: Random;
  readonly settings?: Partial<Ec2Settings>;
  readonly onEffect?: (effect: Effect) => void;
}): SimulatedEc2 {
  const { clock } = options;
  const random = options.random.fork('ec2');
  const settings = { ...DEFAULT_EC2_SETTINGS, ...options.settings };
  const latencies = random.fork('latency');
  const account = createAccount(settings, random.fork('account'), clock);
  const market = createMarket(account);
  const faults = createFaults(random.fork('faults'));
  let calls: { -readonly [K in keyof CallRecord]: CallRecord[K] }[] = [];
  addGroup(account, 'default', 'default VPC security group', new Map());

  async function call<A extends Ec2Action>(
    action: A,
    request: Ec2Actions[A][0],
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<Ec2Actions[A][1]> {
    const record: (typeof calls)[number] = { at: account.now(), action, request };
    calls.push(record);
    if (calls.length >= 2 * settings.callsKept) calls = calls.slice(-settings.callsKept);
    try {
      const answer = await attempt(action, request, signal);
      record.outcome = 'ok';
      return answer;
    } catch (error) {
      const thrown =
        error instanceof Refusal ? new Ec2Error(action, error.code, error.message, error.httpStatus) : error;
      record.outcome = isEc2Error(thrown) ? thrown.code : 'bug';
      throw thrown;
    }
  }

  async function attempt<A extends Ec2Action>(
    action: A,
    request: Ec2Actions[A][0],
    signal: AbortSignal | undefined,
  ): Promise<Ec2Actions[A][1]> {
    const oneWay = draw(latencies, settings.latency) / 2;
    const fault = faults.take(action, request);
    await wait(oneWay, signal);
    if (fault !== undefined && fault.when !== 'after') await strike(fault, signal);
    const answer = serve(account, action, request);
    // The three belong together, which the compiler cannot see through the type parameter.
    options.onEffect?.({ action, request, answer } as Effect);
    if (fault !== undefined) await strike(fault, signal);
    await wait(oneWay, signal);
    return answer;
  }

  async function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
    try {
      signal?.throwIfAborted();
      if (ms > 0) await clock.sleep(ms, signal);
    } catch {
      throw new Refusal(NO_ANSWER, 'the caller gave the call up');
    }
  }

  async function strike(fault: Fault, signal: AbortSignal | undefined): Promise<never> {
    if ('hang' in fault) {
      await wait(settings.timeLimit, signal);
      throw new Refusal(NO_ANSWER, 'no answer within the time limit');
    }
    const { code } = fault;
    const message = fault.message ?? (code === NO_ANSWER ? 'the connection broke' : `EC2 answers ${code}.`);
    throw new Refusal(code, message, fault.httpStatus);
  }

  function instanceOf(id: string) {
    const instance = account.instances.get(id);
    if (instance === undefined) throw new Error(`the simulated EC2 has no instance ${id}`);
    return instance;
  }

  return {
    ec2: call,
    account: createAccountView(account),
    market,
    faults,
    calls: () => calls.slice(-settings.callsKept),
    interrupt(id, notice = INTERRUPTION_NOTICE, { reason = 'no-capacity', finalAtOnce = false } = {}) {
      giveNotice(account, instanceOf(id), notice, reason, finalAtOnce);
    },
    terminate: id => endLife(instanceOf(id), account.now(), { by: 'user' }),
    addKeyPair: (name, tags) => addKeyPair(account, name, new Map(Object.entries(tags))),
    powerOff: id => endLife(instanceOf(id), account.now(), { by: 'instance' }),
    fail: (id, code = 'Server.InternalError') =>
      endLife(instanceOf(id), account.now(), { by: 'failure', code }),
  };
}
