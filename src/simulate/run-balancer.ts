import { FIRST_READING_SPAN, LONGEST_ROUND } from '../balancer/timing.ts';
import { SECOND } from '../clock.ts';
import {
  afterFailedBoot,
  afterGoodBoot,
  afterLaunch,
  afterReady,
  afterRefusal,
  type Backoff,
  FAILED_BOOTS_TOLERATED,
  NO_BACKOFF,
  permitted,
} from '../policy/backoff.ts';
import { largestMax, type Range } from '../policy/load-table.ts';
import {
  afterSpotRefusal,
  nextSpotAttempt,
  onDemandToBuy,
  replaceOnDemand,
  type SpotOutage,
} from '../policy/on-demand.ts';
import { type Candidate, scale } from '../policy/scale.ts';
import { lifetimeOf, type World } from './chance.ts';
import type { Lifetime, Run } from './lifetimes.ts';
import { INTERRUPTION_NOTICE } from './market.ts';
import type { Polls } from './need.ts';
import { createRanges, readingsFor } from './ranges.ts';
import { onDemandPriceIn, type Settings } from './settings.ts';
import { durationOf, type Trace } from './trace.ts';

/** From the decision to launch until EC2 has the instance: DescribeInstances, and CreateFleet. */
const LAUNCH_CALLS = 0.4 * SECOND;
/** From answering to standing in the farm file: slaves that boot are probed every second. */
const NOTICED = 0.5 * SECOND;
/** From the end of a drain until EC2 ends the instance. */
const END_CALLS = 0.4 * SECOND;

type Slave = {
  readonly id: string;
  readonly life: Lifetime;
  /** When EC2 gives notice. */
  readonly noticeAt: number;
  /** When the balancer sees that. */
  readonly noticedAt: number;
  leaves: boolean;
  ready: boolean;
  /** Whether its boot time is known to the release policy. */
  learnt: boolean;
  proven: boolean;
};

/** The readings that this balancer makes of a trace. */
export function readingsOf(trace: Trace, settings: Settings): Polls {
  return readingsFor(trace, settings, FIRST_READING_SPAN);
}

/**
 * The balancer over a trace: its own policy (`src/policy`) decides at each reading of the load, at each notice of EC2's
 * and when it may launch again; a decision takes effect after the same time as in the control loop. It is some thousand
 * times as fast as the control loop, with which the tests compare it.
 *
 * @param saturated where Apache's workers are modelled: see `Queued`
 */
export function runBalancer(
  trace: Trace,
  settings: Settings,
  world: World,
  polls = readingsOf(trace, settings),
  saturated?: Uint8Array,
): Run {
  const { loadTable, master, slave } = settings;
  const { market } = world;
  const end = durationOf(trace);
  const ceiling = largestMax(loadTable);
  const ranges = createRanges(trace, settings, polls, saturated);
  const round = Math.min(master.pollInterval, LONGEST_ROUND);
  const lifetimes: Lifetime[] = [];
  let slaves: Slave[] = [];
  let backoff: Backoff = NO_BACKOFF;
  const fullPrice = onDemandPriceIn(settings);
  const mayBuy = fullPrice === undefined ? 0 : (slave.onDemand ?? 0);
  let outage: SpotOutage | undefined;
  let interruptions = 0;
  let lackedSpot = false;
  let range: Range = { min: 0, max: 0 };
  let rateIsKnown = false;
  /** When something has to be decided besides at the readings. */
  let alarm = Number.POSITIVE_INFINITY;
  /** Whether the last decision was to do nothing, and nothing has changed since. */
  let settled = false;

  /** @param lacking how many slaves fewer than `min` there are */
  function launch(count: number, lacking: number, now: number): void {
    const pool = market.cheapest(now, slave.spotBid);
    if (pool === undefined) {
      lackedSpot = true;
      backoff = afterRefusal(backoff, 'price', 'SpotMaxPriceTooLow', now);
      if (mayBuy > 0) buy(lacking, now);
      wakeAt(backoff.notBefore);
      return;
    }
    outage = undefined;
    const launchedAt = Math.min(now + LAUNCH_CALLS, end);
    backoff = afterLaunch(backoff, count, launchedAt);
    start(count, launchedAt, pool);
  }

  /** Spot has given nothing once more. */
  function buy(lacking: number, now: number): void {
    outage = afterSpotRefusal(outage, now);
    if (backoff.failedBoots < FAILED_BOOTS_TOLERATED)
      backoff = { ...backoff, notBefore: Math.min(backoff.notBefore, nextSpotAttempt(outage)) };
    const bought = slaves.filter(it => it.life.onDemand !== undefined).length;
    const count = onDemandToBuy(outage, { lacking, allowed: mayBuy, bought }, now);
    if (count === 0) return;
    const launchedAt = Math.min(now + 2 * LAUNCH_CALLS, end);
    backoff = { ...backoff, launches: afterLaunch(backoff, count, launchedAt).launches };
    start(count, launchedAt, -1, fullPrice);
  }

  function start(count: number, launchedAt: number, pool: number, onDemand?: number): void {
    for (let one = 0; one < count; one++) {
      const { bootTime, lifetime } = lifetimeOf(world, lifetimes.length);
      const life: Lifetime = {
        launchedAt,
        servesFrom: Math.min(launchedAt + bootTime + NOTICED, end),
        servesUntil: end,
        endedAt: end,
        pool,
        ...(onDemand !== undefined && { onDemand }),
      };
      // EC2 takes back spot instances alone.
      const noticeAt =
        onDemand === undefined
          ? Math.min(launchedAt + lifetime, market.dearer(pool, launchedAt, slave.spotBid))
          : Number.POSITIVE_INFINITY;
      const noticedAt = Math.ceil(noticeAt / round) * round;
      slaves.push({
        id: `slave ${lifetimes.length}`,
        life,
        noticeAt,
        noticedAt,
        leaves: false,
        ready: false,
        learnt: false,
        proven: false,
      });
      lifetimes.push(life);
      wakeAt(noticedAt);
      if (bootTime > slave.bootTimeout) {
        life.servesFrom = end;
        wakeAt(launchedAt + slave.bootTimeout);
      }
    }
  }

  function leave(it: Slave, now: number): void {
    noteReady(it, now);
    it.leaves = true;
    const { life } = it;
    const drain = now > life.servesFrom ? master.drainTime : 0;
    const ended = now + drain + END_CALLS;
    life.servesUntil = Math.min(life.servesUntil, now);
    life.endedAt = Math.min(end, ended, it.noticeAt + INTERRUPTION_NOTICE);
  }

  function wakeAt(moment: number): void {
    alarm = Math.min(alarm, moment);
  }

  /** What happens to slaves without the balancer, and when something happens next. */
  function followSlaves(now: number): void {
    alarm = Number.POSITIVE_INFINITY;
    for (const it of slaves) {
      if (it.leaves) continue;
      const overdueAt = it.life.launchedAt + slave.bootTimeout;
      if (it.noticedAt <= now) {
        interruptions++;
        leave(it, now);
      } else if (now >= overdueAt && it.life.servesFrom > overdueAt + NOTICED) {
        leave(it, now);
        backoff = afterFailedBoot(backoff, 'it was not ready in time', now);
      } else {
        wakeAt(it.noticedAt);
        if (now < overdueAt && it.life.servesFrom > overdueAt + NOTICED) wakeAt(overdueAt);
        if (backoff.failedBoots > 0) noteHealth(it, now);
      }
    }
    slaves = slaves.filter(it => it.life.endedAt > now);
  }

  function noteReady(it: Slave, now: number): void {
    if (it.ready || now < it.life.servesFrom) return;
    it.ready = true;
    backoff = afterReady(backoff, it.life.servesFrom);
  }

  function learnBoot(it: Slave, now: number): void {
    if (it.learnt || it.leaves || now < it.life.servesFrom) return;
    it.learnt = true;
    ranges.booted(it.life.servesFrom - it.life.launchedAt);
  }

  function noteHealth(it: Slave, now: number): void {
    noteReady(it, now);
    if (!it.proven && now >= it.life.servesFrom + slave.bootTimeout) {
      it.proven = true;
      backoff = afterGoodBoot(backoff);
    }
  }

  function decide(now: number): void {
    const candidates = slaves.map(
      ({ id, life, leaves }): Candidate => ({
        id,
        standing: leaves ? 'draining' : now < life.servesFrom ? 'booting' : 'serving',
        launchedAt: life.launchedAt,
        onDemand: life.onDemand !== undefined,
      }),
    );
    const situation = { range, loadIsKnown: true, ceiling, slaves: candidates, inFlight: 0 };
    const scaling = scale(situation);
    const bought = slaves.some(it => !it.leaves && it.life.onDemand !== undefined);
    const replacing =
      bought && scaling.release.length === 0 ? replaceOnDemand(situation, 0) : { launch: 0, release: [] };
    const releasing = [...scaling.release, ...replacing.release];
    for (const it of slaves) if (releasing.includes(it.id)) leave(it, now);
    if (!bought && scaling.launch === 0) outage = undefined;
    // A slave on demand goes as soon as a spot slave serves in its place.
    if (bought) for (const { life } of slaves) if (life.servesFrom > now) wakeAt(life.servesFrom);
    const wanted = Math.max(scaling.launch, replacing.launch);
    const staying = slaves.reduce((count, { leaves }) => count + (leaves ? 0 : 1), 0);
    settled = releasing.length === 0 && staying >= range.min && replacing.launch === 0;
    if (wanted === 0) {
      // There may be room once one has ended.
      if (staying < range.min) for (const { life } of slaves) if (life.endedAt > now) wakeAt(life.endedAt);
      return;
    }
    for (const it of slaves) if (!it.leaves) noteReady(it, now);
    const { count, notBefore } = permitted(backoff, wanted, ceiling, now);
    if (count > 0) {
      launch(count, scaling.launch, now);
      // The rest may be launched as soon as an earlier launch is an hour ago.
      if (count < wanted) wakeAt(now + LAUNCH_CALLS);
      return;
    }
    wakeAt(notBefore);
    // Each one that becomes ready permits another launch.
    for (const { life } of slaves) if (life.servesFrom > now) wakeAt(life.servesFrom);
  }

  for (let poll = 0; ; ) {
    const pollAt = polls.at[poll] ?? Number.POSITIVE_INFINITY;
    const now = Math.min(pollAt, alarm);
    if (now >= end) return { lifetimes, interruptions, lackedSpot };
    if (now === pollAt) {
      for (const it of slaves) learnBoot(it, now);
      const wanted = ranges.at(poll, now);
      if (wanted.min !== range.min || wanted.max !== range.max) settled = false;
      range = wanted;
      rateIsKnown = true;
      poll++;
    }
    if (now >= alarm || backoff.failedBoots > 0) {
      followSlaves(now);
      settled = false;
    }
    if (settled || !rateIsKnown) continue;
    slaves = slaves.filter(it => it.life.endedAt > now);
    decide(now);
  }
}
