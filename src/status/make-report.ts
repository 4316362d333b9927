import { inFlightIn, isListed, portsOf } from '../balancer/members.ts';
import { DOING } from '../balancer/observe.ts';
import { accountIn } from '../balancer/spending.ts';
import type { Member, State } from '../balancer/state.ts';
import { keepTimeIn, keptSlaves, loadThatCounts, wantedRange } from '../balancer/wanted.ts';
import { HOUR, MINUTE } from '../clock.ts';
import type { SlaveFigures } from '../farm/slave-figures.ts';
import { DOUBTS_TO_WARN } from '../load/rate.ts';
import type { Notified } from '../notify/notifier.ts';
import { permitted } from '../policy/backoff.ts';
import { largestMax } from '../policy/load-table.ts';
import { bootTimeOf } from '../policy/release.ts';
import type { Slave } from '../spot/slave.ts';
import { type Calls, onDay } from './calls.ts';
import type { Event, Events } from './events.ts';
import { type History, summary } from './history.ts';
import { isLoadCurrent, priceOf } from './levels.ts';
import type { Moment, Money, Spent } from './money.ts';
import {
  type Report,
  type ReportedEvent,
  type ReportedSlave,
  SCHEMA_VERSION,
  type SlaveState,
} from './report.ts';
import { ec2Of } from './report-ec2.ts';

/** Who reports. */
export type Identity = {
  readonly version: string;
  readonly pid: number;
  readonly master: string;
  /** Wall clock ms. */
  readonly startedAt: number;
};

/** What a slave has said of itself, and when (monotonic ms). */
export type Heard = { readonly figures: SlaveFigures; readonly at: number };

/** What a report is made from. `history` and `money` are up to `now`. */
type Subject = {
  readonly identity: Identity;
  readonly state: Readonly<State>;
  readonly history: History;
  readonly money: Money;
  readonly calls: Calls;
  readonly events: Events;
  slavePrice(slave: Slave): number | undefined;
  /** What the slaves have said of themselves, by address. */
  readonly heard: ReadonlyMap<string, Heard>;
  /** Unset: nobody is told of anything. */
  readonly notified?: Notified | undefined;
  readonly now: Moment;
};

/** The report of a balancer, as it stands at a moment. */
export function makeReport(subject: Subject): Report {
  const { identity, state, history, money, events, now } = subject;
  const { config } = state;
  const timeOf = (monotonic: number) => iso(now.wall - (now.monotonic - monotonic));
  const kept = keptSlaves(state);
  return {
    schemaVersion: SCHEMA_VERSION,
    time: iso(now.wall),
    balancer: {
      version: identity.version,
      pid: identity.pid,
      master: identity.master,
      configFile: config.file,
      startedAt: iso(identity.startedAt),
      uptimeSeconds: round((now.monotonic - state.startedAt) / 1000, 1),
      phase: phaseOf(state),
      pollIntervalSeconds: config.master.pollInterval / 1000,
      nextPollAt: state.stop === undefined ? timeOf(state.nextPollAt) : null,
    },
    pause: pauseOf(state),
    load: loadOf(state, history, timeOf),
    wanted: wantedOf(state),
    release: releaseOf(state),
    slaves: [...state.members.values()]
      .toSorted(
        (a, b) =>
          a.slave.launchedAt - b.slave.launchedAt || (a.slave.instanceId < b.slave.instanceId ? -1 : 1),
      )
      .map(member => slaveOf(member, kept.get(member.slave.instanceId), subject, timeOf)),
    farm: { listedUrls: state.listed, reloadIsDue: state.reloadOwed },
    launches: launchesOf(state, now.monotonic, timeOf),
    retries: [...state.retry].map(([kind, { failures, notBefore }]) => ({
      what: RETRIED.get(kind) ?? kind,
      failuresInARow: failures,
      nextAttemptAt: timeOf(notBefore),
    })),
    decisions: events.decisions.map(eventOf),
    problems: events.problems.map(eventOf),
    ec2: ec2Of(onDay(subject.calls, now.wall)),
    money: {
      pricePerHour: dollars(money.rate.perHour),
      isUpperBound: money.rate.atMost,
      today: spentOf(money.today),
      sinceStart: spentOf(money.sinceStart),
      month: monthOf(state),
    },
    notify: notifyOf(subject),
    messages: { warnings: events.warnings, errors: events.errors },
    history: {
      stepSeconds: MINUTE / 1000,
      points: history.minutes.map(({ start, knownFor, requests, peak, level }) => ({
        time: timeOf(start),
        requestsPerSecond: knownFor === 0 ? null : round((requests / knownFor) * 1000, 3),
        peakRequestsPerSecond: knownFor === 0 ? null : round(peak, 3),
        servingSlaves: level.serving,
        slaves: level.slaves,
        minSlaves: level.min ?? null,
        maxSlaves: level.max ?? null,
      })),
    },
  };
}

type TimeOf = (monotonic: number) => string;

/** Tasks that have messages of their own in the log are named here. */
const RETRIED = new Map<string, string>([
  ...Object.entries(DOING),
  ['prepare', 'security group and launch template cannot be prepared'],
  ['save-spending', 'the expenses cannot be saved'],
]);

function phaseOf({ stop }: Readonly<State>): string {
  if (stop === undefined) return 'running';
  return stop.keepSlaves ? 'ending and keeping its slaves' : 'stopping';
}

function loadOf(state: Readonly<State>, history: History, timeOf: TimeOf): Report['load'] {
  const hour = summary(history.minutes);
  const { measuredAt, overload, doubt } = state.load;
  return {
    requestsPerSecond: state.lastRate === undefined ? null : round(state.lastRate, 3),
    isCurrent: isLoadCurrent(state),
    measuredAt: measuredAt === undefined ? null : timeOf(measuredAt),
    error: state.loadError ?? (doubt !== undefined && doubt.readings >= DOUBTS_TO_WARN ? doubt.why : null),
    overloadedSince: overload === undefined ? null : timeOf(overload.since),
    overload: overload?.reason ?? null,
    lastHourMeanRequestsPerSecond: hour === undefined ? null : round(hour.mean, 3),
    lastHourPeakRequestsPerSecond: hour === undefined ? null : round(hour.peak, 3),
  };
}

function notifyOf({ state, notified }: Subject): Report['notify'] {
  if (notified === undefined || state.config.master.notify === undefined) return null;
  const { last, open } = notified;
  return {
    last:
      last === undefined
        ? null
        : { time: iso(last.at), topic: last.topic, event: last.event, isFailed: last.isFailed },
    openTopics: open,
  };
}

function pauseOf({ pause }: Readonly<State>): Report['pause'] {
  if (pause === undefined) return null;
  const { since, until, release } = pause;
  return { since: iso(since), until: until === undefined ? null : iso(until), releasesSlaves: release };
}

function wantedOf(state: Readonly<State>): Report['wanted'] {
  const range = wantedRange(state);
  const load = loadThatCounts(state);
  if (range === undefined || load === undefined) return null;
  const row = state.config.loadTable.findLast(it => it.requestsPerSecond <= load);
  return { minSlaves: range.min, maxSlaves: range.max, rowRequestsPerSecond: row?.requestsPerSecond ?? null };
}

function releaseOf(state: Readonly<State>): Report['release'] {
  const { boots } = state;
  const keepTime = keepTimeIn(state);
  return {
    keepTimeSeconds: keepTime === undefined ? null : round(keepTime / 1000, 1),
    bootTimeSeconds: boots.length === 0 ? null : round(bootTimeOf(boots) / 1000, 1),
    bootsMeasured: boots.length,
  };
}

function slaveOf(
  member: Member,
  keptUntil: number | undefined,
  { state, slavePrice, heard, now }: Subject,
  timeOf: TimeOf,
): ReportedSlave {
  const { slave, leaving, readySince } = member;
  const { config } = state;
  const price = priceOf(slave, config.slave.spotBid, slavePrice);
  const dataSnapshots = slave.data.split(/\s+/).filter(Boolean);
  const drainEndsAt =
    leaving?.outSince === undefined ? undefined : leaving.outSince + config.master.drainTime;
  return {
    instanceId: slave.instanceId,
    state: standingOf(state, member),
    reason: leaving?.reason ?? (member.failures > 0 ? missed(member.failures) : null),
    instanceType: slave.instanceType,
    availabilityZone: slave.availabilityZone,
    address: slave.address ?? null,
    ports: portsOf(state, slave),
    launchedAt: iso(slave.launchedAt),
    ageSeconds: Math.max(0, Math.round((now.wall - slave.launchedAt) / 1000)),
    readyAt: readySince === undefined ? null : timeOf(readySince),
    ...saidBy(member, heard, timeOf),
    drainEndsAt: drainEndsAt === undefined || !member.mayBeInUse ? null : timeOf(drainEndsAt),
    keptUntil: keptUntil === undefined || keptUntil < now.monotonic ? null : timeOf(keptUntil),
    onDemand: slave.onDemand === true,
    pricePerHour: price.dollars,
    priceIsKnown: price.isKnown,
    dataSnapshots,
    dataIsCurrent: sameSet(dataSnapshots, config.slave.dataSnapshots),
  };
}

function saidBy(
  { slave, firstSeen }: Member,
  heard: ReadonlyMap<string, Heard>,
  timeOf: TimeOf,
): Pick<ReportedSlave, 'boot' | 'renders' | 'lastRenderAt'> {
  const said = heard.get(slave.address ?? '');
  // Else it was another one with the same address.
  if (said === undefined || said.at < firstSeen) return { boot: null, renders: null, lastRenderAt: null };
  const { uptime, phases, renders, lastRender } = said.figures;
  const at = (seconds: number) => timeOf(said.at - (uptime - seconds) * 1000);
  return {
    boot: {
      kernelStartedAt: at(0),
      kernelSeconds: phases.kernel ?? null,
      networkSeconds: phases.network ?? null,
      dataSeconds: phases.data ?? null,
      listeningSeconds: phases.listening ?? null,
    },
    renders,
    lastRenderAt: lastRender === undefined ? null : at(lastRender),
  };
}

function missed(probes: number): string {
  return probes === 1 ? 'it missed its last probe' : `it missed its last ${probes} probes`;
}

function standingOf(state: Readonly<State>, member: Member): SlaveState {
  const { slave, leaving } = member;
  if (leaving?.terminateAskedAt !== undefined) return 'ending';
  const listed = isListed(state, slave);
  if (leaving !== undefined) return listed ? 'leaving' : 'draining';
  if (member.readySince === undefined) return slave.address === undefined ? 'starting' : 'booting';
  if (member.failures > 0) return 'not answering';
  return listed ? 'serving' : 'ready';
}

function launchesOf(state: Readonly<State>, now: number, timeOf: TimeOf): Report['launches'] {
  const { backoff, config, spotOutage } = state;
  const { count, notBefore } = permitted(backoff, 1, largestMax(config.loadTable), now);
  const held = count === 0;
  const lastHour = backoff.launches.filter(at => at > now - HOUR).length;
  const tooMany = `${lastHour} slaves were launched within an hour, more than a load table of this size can need`;
  return {
    underway: inFlightIn(state),
    lastHour,
    failedBootsInARow: backoff.failedBoots,
    refusalsInARow: backoff.refusals,
    noSpotSince: spotOutage === undefined ? null : timeOf(spotOutage.since),
    heldUntil: held ? timeOf(notBefore) : null,
    reason: held && now >= backoff.notBefore ? tooMany : (backoff.reason ?? null),
  };
}

function spentOf({ since, dollars: spent, atMost }: Spent): Report['money']['today'] {
  return { since: iso(since), dollars: dollars(spent), isUpperBound: atMost };
}

function monthOf(state: Readonly<State>): Report['money']['month'] {
  const account = accountIn(state);
  if (account === undefined) return null;
  const { month, spent, spentAtMost, budget, isUsedUp } = account;
  return {
    month,
    dollars: dollars(spent),
    dollarsAtMost: dollars(spentAtMost),
    budget: budget ?? null,
    isUsedUp,
  };
}

function eventOf({ at, level, message }: Event): ReportedEvent {
  return { time: iso(at), level, message };
}

function iso(wall: number): string {
  return new Date(Math.round(wall)).toISOString();
}

function dollars(amount: number): number {
  return round(amount, 6);
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every(it => b.includes(it));
}
