import type { ProbeAnswer } from '../farm/farm.ts';
import { afterFailedBoot, afterGoodBoot, afterReady } from '../policy/pacing.ts';
import type { Candidate, Standing } from '../policy/scale.ts';
import { type Slave, urlsOf } from '../spot/slave.ts';
import type { Agenda } from './agenda.ts';
import { type LeavingReason, type Member, type State, say } from './state.ts';
import { FAILURES_TOLERATED } from './timing.ts';

/** Puts a slave on its way out; the first reason stays. */
export function leave(state: State, instanceId: string, reason: LeavingReason): void {
  const member = state.members.get(instanceId);
  if (member === undefined || member.leaving !== undefined) return;
  state.members.set(instanceId, {
    ...member,
    leaving: { reason, tagged: member.slave.drainingSince !== undefined },
  });
  say(
    state,
    reason === 'it does not answer' || reason === 'it did not become ready in time' ? 'warn' : 'info',
    `releasing slave ${instanceId} (${describe(member.slave)}): ${reason}`,
  );
}

/** What a probe found. */
export function noteProbe(
  state: State,
  { instanceId, address }: { readonly instanceId: string; readonly address: string },
  answer: ProbeAnswer,
  now: number,
): void {
  const member = state.members.get(instanceId);
  if (member === undefined || member.leaving !== undefined || member.slave.address !== address) return;
  if (answer === 'unknown') {
    state.members.set(instanceId, { ...member, probedAt: now });
    return;
  }
  if (answer === 'answered') {
    if (member.readySince === undefined) {
      const seconds = Math.round((now - member.firstSeen) / 1000);
      say(state, 'info', `slave ${instanceId} (${describe(member.slave)}) is ready after ${seconds} s`);
      state.pace = afterReady(state.pace, now);
    }
    state.members.set(instanceId, {
      ...member,
      readySince: member.readySince ?? now,
      probedAt: now,
      failures: 0,
      mayBeInUse: true,
    });
    return;
  }
  const failures = member.readySince === undefined ? 0 : member.failures + 1;
  state.members.set(instanceId, { ...member, probedAt: now, failures });
  if (failures > 0) {
    say(
      state,
      'warn',
      `slave ${instanceId} (${describe(member.slave)}) did not answer, ${failures} of ${FAILURES_TOLERATED}`,
    );
  }
  if (failures < FAILURES_TOLERATED) return;
  leave(state, instanceId, 'it does not answer');
  if (!member.proven) state.pace = afterFailedBoot(state.pace, `${instanceId} served but a short time`, now);
}

/** A slave that has served for as long as a boot may take shows that its image is good. */
export function noteProven(state: State, agenda: Agenda): void {
  for (const [id, member] of state.members) {
    if (member.proven || member.readySince === undefined || member.leaving !== undefined) continue;
    if (!agenda.due(member.readySince + state.config.slave.bootTimeout)) continue;
    state.members.set(id, { ...member, proven: true });
    state.pace = afterGoodBoot(state.pace);
  }
}

/** Gives up on slaves that were not ready in time. */
export function noteOverdue(state: State, agenda: Agenda): void {
  for (const [id, member] of state.members) {
    if (member.readySince !== undefined || member.leaving !== undefined) continue;
    if (!agenda.due(member.firstSeen + state.config.slave.bootTimeout)) continue;
    leave(state, id, 'it did not become ready in time');
    state.pace = afterFailedBoot(state.pace, `${id} was not ready in time`, agenda.now);
  }
}

/** Why a slave is not as a new one would be; undefined when it is. */
export function outOfDate(state: State, { data, imageId }: Slave): LeavingReason | undefined {
  if (data !== state.config.slave.dataSnapshots.join(' ')) return 'its data are out of date';
  const { plan } = state;
  const isOther = plan !== undefined && imageId !== '' && imageId !== plan.imageId;
  return isOther ? 'its image is out of date' : undefined;
}

/** How the policy sees a member. */
export function candidateOf(state: State, member: Member): Candidate {
  const standing: Standing =
    member.leaving !== undefined
      ? isKnownToLeave(member)
        ? 'draining'
        : 'leaving'
      : member.readySince === undefined
        ? 'booting'
        : member.failures > 0
          ? 'suspect'
          : 'serving';
  const { instanceId, launchedAt } = member.slave;
  return {
    id: instanceId,
    standing,
    launchedAt,
    outdated: outOfDate(state, member.slave) !== undefined,
  };
}

/** Whether EC2 says that the slave is on its way out, to whoever looks. */
function isKnownToLeave({ slave, leaving }: Member): boolean {
  return slave.reclaimed || leaving?.tagged === true || leaving?.terminateAskedAt !== undefined;
}

/** The URLs of all slaves that serve, the oldest first. */
export function servingUrls(state: State): string[] {
  const urls = [...state.members.values()]
    .filter(member => member.readySince !== undefined && member.leaving === undefined)
    .map(member => member.slave)
    .toSorted((a, b) => a.launchedAt - b.launchedAt || (a.instanceId < b.instanceId ? -1 : 1))
    .flatMap(slave => slaveUrls(state, slave));
  return [...new Set(urls)];
}

/** Whether the farm file lists the slave, at any of its ports. */
export function isListed(state: State, slave: Slave): boolean {
  return slaveUrls(state, slave).some(url => state.listed.includes(url));
}

function slaveUrls(state: State, slave: Slave): string[] {
  return slave.address === undefined ? [] : urlsOf(slave.address, portsOf(state, slave));
}

/** The ports that the slave was launched with. */
export function portsOf(state: State, slave: Slave): readonly number[] {
  return slave.ports.length > 0 ? slave.ports : state.config.slave.ports;
}

/** Every port that a slave listens on: the security group must go on letting the master in. */
export function portsInUse(state: State): readonly number[] {
  return [...new Set([...state.members.values()].flatMap(member => portsOf(state, member.slave)))];
}

/** A slave in a few words: `m5.large in us-west-2a, 10.0.0.5`. */
export function describe(slave: Slave): string {
  const address = slave.address === undefined ? '' : `, ${slave.address}`;
  return `${slave.instanceType} in ${slave.availabilityZone}${address}`;
}
