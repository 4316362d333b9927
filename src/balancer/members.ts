import type { Candidate, Standing } from '../policy/scale.ts';
import { type Slave, urlsOf } from '../spot/slave.ts';
import { dataTag } from '../spot/tags.ts';
import type { LeavingReason, Member, StateView } from './state.ts';
import { FAILURES_TOLERATED } from './timing.ts';

/** Why a slave differs from what a new one would be; undefined when it does not. */
export function outOfDate(state: StateView, { data, imageId }: Slave): LeavingReason | undefined {
  if (data !== dataTag(state.config.slave.dataSnapshots)) return 'its data are out of date';
  const { plan } = state;
  const isOther = plan !== undefined && imageId !== '' && imageId !== plan.imageId;
  return isOther ? 'its image is out of date' : undefined;
}

/** How the policy sees a member. */
export function candidateOf(state: StateView, member: Member): Candidate {
  const standing: Standing =
    member.leaving !== undefined
      ? isKnownToLeave(member)
        ? 'draining'
        : 'leaving'
      : member.readySince === undefined
        ? 'booting'
        : isOutOfService(member)
          ? 'silent'
          : member.failures > 0
            ? 'suspect'
            : 'serving';
  const { instanceId, launchedAt } = member.slave;
  return {
    id: instanceId,
    standing,
    launchedAt,
    outdated: outOfDate(state, member.slave) !== undefined,
    onDemand: member.slave.onDemand === true,
  };
}

/** Whether it has missed so many probes that GBrowse should not use it until it answers again. */
export function isOutOfService({ failures }: Member): boolean {
  return failures >= FAILURES_TOLERATED;
}

/** Whether EC2 says that the slave is on its way out, to every process that asks. */
function isKnownToLeave({ slave, leaving }: Member): boolean {
  return slave.reclaimed || leaving?.tagged === true || leaving?.terminateAskedAt !== undefined;
}

/** Instances that were launched, or asked for, and that EC2 has not shown yet. */
export function inFlightIn({ instancesInFlight, launchInFlight: request }: StateView): number {
  const requested = request === undefined ? 0 : Math.max(0, request.count - request.shown);
  return instancesInFlight.size + requested;
}

/** The prices (dollars an hour) of those of them that are bought on demand, one each. */
export function onDemandInFlight(state: StateView): readonly number[] {
  const { boughtOnDemand, launchInFlight: request } = state;
  const requested = request?.onDemand === undefined ? 0 : Math.max(0, request.count - request.shown);
  return [
    ...[...state.instancesInFlight.keys()].flatMap(id => boughtOnDemand.get(id) ?? []),
    ...Array<number>(requested).fill(request?.onDemand?.dearest ?? 0),
  ];
}

/** The URLs of all slaves that serve, the oldest first; none while the balancer is paused. */
export function servingUrls(state: StateView): string[] {
  if (state.pause !== undefined) return [];
  const urls = [...state.members.values()]
    .filter(
      member => member.readySince !== undefined && member.leaving === undefined && !isOutOfService(member),
    )
    .map(member => member.slave)
    .toSorted((a, b) => a.launchedAt - b.launchedAt || (a.instanceId < b.instanceId ? -1 : 1))
    .flatMap(slave => slaveUrls(state, slave));
  return [...new Set(urls)];
}

/** Whether the farm file lists the slave, at any of its ports. */
export function isListed(state: StateView, slave: Slave): boolean {
  return slaveUrls(state, slave).some(url => state.listed.includes(url));
}

function slaveUrls(state: StateView, slave: Slave): string[] {
  return slave.address === undefined ? [] : urlsOf(slave.address, portsOf(state, slave));
}

/** The ports that the slave was launched with. */
export function portsOf(state: StateView, slave: Slave): readonly number[] {
  return slave.ports.length > 0 ? slave.ports : state.config.slave.ports;
}

/** Every port that a slave listens on: the security group must keep allowing the master to connect to it. */
export function portsInUse(state: StateView): readonly number[] {
  return [...new Set([...state.members.values()].flatMap(member => portsOf(state, member.slave)))];
}

/** A slave in a few words: `m5.large in us-west-2a, 10.0.0.5`. */
export function slaveInWords(slave: Slave): string {
  const address = slave.address === undefined ? '' : `, ${slave.address}`;
  return `${slave.instanceType} in ${slave.availabilityZone}${address}`;
}
