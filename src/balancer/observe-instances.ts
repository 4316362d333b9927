import { afterLaunch, withEarlierLaunch } from '../policy/backoff.ts';
import { noteWanted } from '../policy/release.ts';
import { isLive, type Slave } from '../spot/slave.ts';
import { apply } from './apply.ts';
import { recordFailedBoot } from './failed-boots.ts';
import { isListed, slaveInWords } from './members.ts';
import { chargeFound } from './spending.ts';
import { type LeavingReason, type Member, type State, say } from './state.ts';
import { ANSWERS_MISSED_TOLERATED, NEVER_SHOWN } from './timing.ts';
import { chargeUnseen } from './unseen.ts';

/** What EC2 showed, and when: `now` monotonic, `wall` wall clock, both ms. */
type Described = { readonly slaves: readonly Slave[]; readonly now: number; readonly wall: number };

/** Updates what is remembered about each instance to what EC2 shows. */
export function recordInstances(state: State, described: Described): void {
  const shown = new Set<string>();
  for (const slave of described.slaves) {
    shown.add(slave.instanceId);
    const launchAnsweredAt = state.instancesInFlight.get(slave.instanceId);
    state.instancesInFlight.delete(slave.instanceId);
    state.boughtOnDemand.delete(slave.instanceId);
    const member = state.members.get(slave.instanceId);
    if (member === undefined && (isLive(slave) || state.describedAt === undefined))
      countEarlierLaunch(state, slave, described);
    // What has ended since the predecessor's end is shown for an hour.
    if (member === undefined && !isLive(slave) && state.describedAt === undefined)
      chargeFound(state, slave, described.wall);
    if (!isLive(slave)) {
      if (member !== undefined) ended(state, member, slave, described.now);
    } else if (member === undefined) {
      if (launchAnsweredAt === undefined) chargeFound(state, slave, described.wall);
      adopt(state, slave, described, launchAnsweredAt);
    } else {
      state.members.set(slave.instanceId, shownAgain(member, slave, described.now));
    }
    if (!isLive(slave)) continue;
    const release = (reason: LeavingReason) =>
      apply(state, { kind: 'release', instanceId: slave.instanceId, reason });
    if (slave.reclaimed) release('EC2 reclaims it');
    // A predecessor's call that took effect after that process had ended.
    if (slave.drainingSince !== undefined) release('it was draining already');
  }
  for (const [id, member] of state.members) {
    if (shown.has(id)) continue;
    if (member.missing + 1 >= ANSWERS_MISSED_TOLERATED) {
      state.members.delete(id);
      say(state, 'warn', `EC2 no longer shows slave ${id} with this master's tag: it is left alone`);
    } else {
      state.members.set(id, { ...member, missing: member.missing + 1 });
    }
  }
  for (const [id, launchedAt] of state.instancesInFlight) {
    if (described.now - launchedAt > NEVER_SHOWN) state.instancesInFlight.delete(id);
  }
  settleLaunch(state, described);
  // The keep time of what a predecessor has left begins now.
  if (state.describedAt === undefined) {
    chargeUnseen(state, shown, described.wall);
    const found = [...state.members.values()].filter(it => it.leaving === undefined).length;
    state.lastWanted = noteWanted(state.lastWanted, found, described.now);
  }
  state.describedAt = described.now;
}

/**
 * What a predecessor launched within the hour counts, whatever became of it, so that restarts cannot make a launch
 * loop.
 */
function countEarlierLaunch(state: State, slave: Slave, { now, wall }: Described): void {
  if (slave.launchToken?.startsWith(state.runId) === true) return;
  state.backoff = withEarlierLaunch(state.backoff, now - Math.max(0, wall - slave.launchedAt), now);
}

/** A launch whose answer is missing is settled once EC2 shows all that was asked for; of a part, the rest may come. */
function settleLaunch(state: State, { slaves, now }: Described): void {
  const { launchInFlight: request } = state;
  if (request === undefined) return;
  const shown = slaves.filter(slave => slave.launchToken === request.token).length;
  if (shown <= request.shown) return;
  state.backoff = afterLaunch(state.backoff, shown - request.shown, now);
  if (request.onDemand === undefined) delete state.spotOutage;
  if (shown >= request.count) delete state.launchInFlight;
  else state.launchInFlight = { ...request, shown };
}

function shownAgain(member: Member, shown: Slave, now: number): Member {
  const { address } = member.slave;
  if (address === undefined || shown.address === address) return { ...member, slave: shown, missing: 0 };
  // An answer may lack what an earlier one had.
  if (shown.address === undefined) return { ...member, slave: { ...shown, address }, missing: 0 };
  // It is not known whether it answers at its new address.
  const { readySince: _, probedAt: __, failingSince: ___, ...rest } = member;
  return { ...rest, slave: shown, firstSeen: now, failures: 0, refusals: 0, missing: 0 };
}

/** Adds an instance that was not known: just launched, or left by an earlier process. */
function adopt(state: State, slave: Slave, { now, wall }: Described, launchAnsweredAt?: number): void {
  const own = slave.launchToken?.startsWith(state.runId) === true;
  // What this process launched was never in the farm: if its address is there, it belonged to another slave.
  const listed = !own && isListed(state, slave);
  const drained = slave.drainingSince;
  state.members.set(slave.instanceId, {
    slave,
    firstSeen: now,
    ...(launchAnsweredAt !== undefined && { launchAnsweredAt }),
    ...(listed && { readySince: now }),
    proven: listed,
    failures: 0,
    refusals: 0,
    missing: 0,
    mayBeInUse: !own,
    ...(drained !== undefined && {
      leaving: {
        reason: 'it was draining already',
        tagged: true,
        // The clock may have been set since, so this is never earlier than one whole drain ago and never in the future.
        // If the farm still lists it, its drain has not begun.
        ...(!listed && {
          outSince: now - Math.min(Math.max(wall - drained, 0), state.config.master.drainTime),
        }),
      },
    }),
  });
  if (!own) {
    const as = drained !== undefined ? 'draining' : listed ? 'serving' : 'booting';
    say(state, 'info', `found running slave ${slave.instanceId} (${slaveInWords(slave)}), ${as}`);
  }
}

function ended(state: State, member: Member, slave: Slave, now: number): void {
  state.members.delete(slave.instanceId);
  const why = slave.reason === undefined ? '' : `: ${slave.reason}`;
  if (member.leaving?.terminateAskedAt !== undefined) {
    say(state, 'debug', `slave ${slave.instanceId} is ${slave.state}`);
    return;
  }
  say(state, 'warn', `slave ${slave.instanceId} has terminated unexpectedly${why}`);
  if (!member.proven && member.leaving === undefined && !slave.reclaimed && !slave.endedByUser) {
    recordFailedBoot(state, 'ended', `${slave.instanceId} ended${why}`, now);
  }
}
