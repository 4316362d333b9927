import type { Config } from '../config/config.ts';
import type { Trouble } from '../ec2/errors.ts';
import type { ProbeAnswer } from '../farm/farm.ts';
import { type Load, NO_LOAD } from '../load/rate.ts';
import type { Level } from '../log/log.ts';
import { type Backoff, NO_BACKOFF } from '../policy/backoff.ts';
import type { SpotOutage } from '../policy/on-demand.ts';
import type { Pause } from '../policy/pause.ts';
import type { LastWanted } from '../policy/release.ts';
import type { LaunchPlan, LaunchRequest } from '../spot/launch.ts';
import type { Slave } from '../spot/slave.ts';
import type { Spending } from './spending-state.ts';
import type { TaskKind } from './tasks.ts';
import { FRESH_ANSWER } from './timing.ts';

/** Why a slave leaves, as the log words it. */
export type LeavingReason =
  | 'more slaves than the load needs'
  | 'EC2 reclaims it'
  | 'it does not answer'
  | 'it did not become ready in time'
  | 'it was draining already'
  | 'its data are out of date'
  | 'its image is out of date'
  | 'spot slaves serve in its place'
  | 'the balancer is paused'
  | 'the budget of the month is used up'
  | 'the balancer stops';

/** A slave that leaves: removed from the farm, then drained, then terminated. */
export type Leaving = {
  readonly reason: LeavingReason;
  /** Since when GBrowse no longer knows it (monotonic ms); unset while the farm may list it. */
  readonly outSince?: number;
  /** Whether EC2 has its draining tag. */
  readonly tagged: boolean;
  /** When its termination was last asked for (monotonic ms). */
  readonly terminateAskedAt?: number;
};

/** What is remembered of one instance, beside what EC2 shows. Moments are monotonic ms. */
export type Member = {
  readonly slave: Slave;
  readonly firstSeen: number;
  /** When its launch was answered, where this process launched it. */
  readonly launchAnsweredAt?: number;
  /** Since when it has answered on every port; unset while it boots. */
  readonly readySince?: number;
  readonly probedAt?: number;
  /** What the last probe found while it boots. */
  readonly bootAnswer?: ProbeAnswer;
  /** Whether it has served long enough to show that its image is good. */
  readonly proven: boolean;
  /** Probes in a row that it did not answer since it was ready; of them, in a row, those that it refused. */
  readonly failures: number;
  readonly refusals: number;
  /** Since when it has not answered. */
  readonly failingSince?: number;
  /** When EC2 had last answered before the latest failed probe began: then the network was there. */
  readonly failedAfterAnswerAt?: number;
  /** False only when the farm certainly never listed it: then nobody can be waiting for it. */
  readonly mayBeInUse: boolean;
  /** Answers in a row that did not show it. */
  readonly missing: number;
  readonly leaving?: Leaving;
};

/** A launch whose outcome is not known yet. */
type LaunchInFlight = LaunchRequest & {
  /** How many of its instances EC2 shows. */
  readonly shown: number;
  /** When (monotonic ms) a call for it last ended without saying whether anything was launched. */
  readonly unsureAt?: number;
};

export type Stop = {
  /** Monotonic ms. */
  readonly since: number;
  /** The daemon ends; slaves and farm file stay for the next start to take over. */
  readonly keepSlaves: boolean;
  /** When a second signal came: the stop does not wait, and makes every call once. */
  readonly hurriedAt?: number;
  /** The part of the balancer that writes the farm file is gone. */
  readonly crippled?: boolean;
};

/**
 * How a balancer has stopped:
 * - `clean`: nothing is left in EC2;
 * - `slaves kept`: as was asked;
 * - `hurried`: after a second signal; everything known was removed or asked to end;
 * - `incomplete`: something is left, and the log has said what;
 * - `crippled`: slaves kept, because the part of the balancer that writes the farm file is gone.
 */
export type End = 'clean' | 'slaves kept' | 'hurried' | 'incomplete' | 'crippled';

export type Entry = { readonly level: Level; readonly message: string };

/**
 * Everything that the balancer knows. It belongs to the loop; `observe.ts` and `decide.ts` change it, without I/O and
 * without a clock. EC2 and the farm file tell it again to the next process, but for the
 * pause and what was spent: those two have state files.
 */
export type State = {
  config: Config;
  /** Makes this process's launch tokens its own. */
  readonly runId: string;
  readonly startedAt: number;

  load: Load;
  /** The last known load, requests/s, which decides the size of the farm while none can be read. */
  lastRate?: number;
  loadError?: string;
  /** Since when Apache is overloaded (monotonic ms), once the log has said so. */
  overloadSaidSince?: number;
  /** When the latest reading was taken, and the next one is due; monotonic ms. */
  readAt?: number;
  nextReadingAt: number;
  nextPollAt: number;
  /** Whether the next reading is for a poll: every poll decides the size of the farm. */
  pollIsDue: boolean;
  /** The load (requests/s) that an overloaded Apache counts as. */
  overloadCounts?: number;
  /** When `min` last asked for so many slaves, and how long this site's latest boots took (ms): see `policy/release.ts`. */
  lastWanted: LastWanted;
  boots: readonly number[];
  /** Whether the configuration file can be checked for changes, and when it was last (monotonic ms). */
  readonly followsConfig: boolean;
  configCheckedAt: number;

  /** When EC2 was last asked for its instances with success, and when it had answered; monotonic ms. */
  describedAt?: number;
  answeredAt?: number;
  readonly members: Map<string, Member>;

  /** What `renderfarm.conf` lists. */
  listed: readonly string[];
  listedAt: number;
  reloadOwed: boolean;
  reloadedAt: number;

  backoff: Backoff;
  plan?: LaunchPlan;
  plannedAt: number;
  /** When a plan was last made, or could not be made (the start, for a predecessor's): EC2 may not show it at once. */
  preparedAt: number;
  /** When the activity tag was last written in EC2 (monotonic ms); infinite while there is nothing to tag. */
  aliveAt: number;
  launchInFlight?: LaunchInFlight;
  launches: number;
  /**
   * While slaves with other data or another image than configured are replaced: how many slaves there will be at its
   * end, and how many failed boots the new ones did not cause.
   */
  instanceRefresh?: { readonly size: number; readonly failedBoots: number };
  /** Instances that a launch gave and EC2 has not shown yet, with the moment of the answer. */
  readonly instancesInFlight: Map<string, number>;
  /** The prices (dollars an hour at the most) of those that were bought on demand and that EC2 has not shown yet. */
  readonly boughtOnDemand: Map<string, number>;
  /** Set while spot has no capacity within the bid for slaves that are lacking. */
  spotOutage?: SpotOutage;
  /** Instances must have been described after this moment before anything is launched. */
  launchNeedsAnswerAfter: number;

  readonly running: Set<string>;
  /** `failures`: in a row, of `action` where the task failed in a call to EC2. */
  readonly retry: Map<
    TaskKind,
    {
      readonly failures: number;
      readonly action?: string | undefined;
      /** The kind of EC2's error. */
      readonly trouble?: Trouble | undefined;
      readonly notBefore: number;
    }
  >;
  /** The image or a snapshot that launches need does not exist, as the step `by` found. */
  missing?: { readonly why: string; readonly by: 'prepare' | 'launch' };
  /** Somebody else's last change of the farm, and when it was found (monotonic ms). */
  farmChange?: { readonly change: string; readonly at: number };
  /** What was spent, and up to when it is counted: see `spending.ts`. Unset where nobody keeps it. */
  spending?: Spending;
  stop?: Stop;
  /** Set while GBrowse is to draw locally. */
  pause?: Pause;
  /** At a stop: whether security group and launch template are gone, and how often that was tried. */
  tidied: boolean;
  tidyTries: number;
  /** Log entries to be written. */
  readonly outbox: Entry[];
  /** The last message of each kind, so that nothing unchanged is logged again. */
  readonly said: Map<string, string>;
};

export function initialState(settings: {
  readonly config: Config;
  readonly runId: string;
  readonly listed: readonly string[];
  /** Whether the configuration file can be checked for changes. */
  readonly followsConfig: boolean;
  /** Monotonic ms. */
  readonly now: number;
}): State {
  const { config, runId, listed, now } = settings;
  return {
    config,
    runId,
    startedAt: now,
    load: NO_LOAD,
    nextReadingAt: now,
    nextPollAt: now,
    pollIsDue: false,
    lastWanted: [],
    boots: [],
    followsConfig: settings.followsConfig,
    configCheckedAt: now,
    members: new Map(),
    listed,
    listedAt: now,
    // It is not known whether a predecessor could tell Apache about its last change; `auto` checks, and does no more
    // than needed.
    reloadOwed: config.master.reloadCommand === 'auto',
    reloadedAt: Number.NEGATIVE_INFINITY,
    backoff: NO_BACKOFF,
    plannedAt: Number.NEGATIVE_INFINITY,
    preparedAt: now,
    aliveAt: Number.NEGATIVE_INFINITY,
    launches: 0,
    instancesInFlight: new Map(),
    boughtOnDemand: new Map(),
    launchNeedsAnswerAfter: now,
    running: new Set(),
    retry: new Map(),
    tidied: false,
    tidyTries: 0,
    outbox: [],
    said: new Map(),
  };
}

/** Whether the last call of this kind failed. */
export function hasFailed({ retry }: StateView, kind: TaskKind): boolean {
  return (retry.get(kind)?.failures ?? 0) > 0;
}

/** Whether EC2 has just described the instances, however long that took. */
export function isFresh({ answeredAt = Number.NEGATIVE_INFINITY }: StateView, now: number): boolean {
  return now - answeredAt <= FRESH_ANSWER;
}

/** The state, for readers. */
export type StateView = {
  readonly [K in keyof State]: State[K] extends Map<infer Key, infer Value>
    ? ReadonlyMap<Key, Value>
    : State[K] extends Set<infer Value>
      ? ReadonlySet<Value>
      : State[K] extends (infer Value)[]
        ? readonly Value[]
        : State[K];
};

/** Puts a message into the log. */
export function say(state: State, level: Level, message: string): void {
  state.outbox.push({ level, message });
}

/**
 * Puts a message into the log unless it repeats the last one about the topic.
 *
 * @param news what makes it a different message; by default all of it except its numbers
 */
export function sayOnce(
  state: State,
  topic: string,
  level: Level,
  message: string,
  news = message.replaceAll(/\d+/g, '0'),
): void {
  if (state.said.get(topic) === news) return;
  state.said.set(topic, news);
  say(state, level, message);
}

/** Forgets the last message about a topic; logs `message` if there was one. */
export function resolved(state: State, topic: string, message?: string): void {
  if (state.said.delete(topic) && message !== undefined) say(state, 'info', message);
}
