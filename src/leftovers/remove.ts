import { type Clock, MINUTE, SECOND } from '../clock.ts';
import type { Ec2 } from '../ec2/api.ts';
import { isGone, isInUse } from '../ec2/errors.ts';
import { explain } from '../ec2/explain.ts';
import { patiently } from '../ec2/retry.ts';
import { counted } from '../format/numbers.ts';
import type { Leftovers } from './find.ts';
import { KINDS, type Kind, type Resource } from './resource.ts';

/** The outcome of removing a resource. */
export type Outcome = { readonly resource: Resource } & (
  | { readonly became: 'removed' | 'gone' }
  /** `why`: who holds it now, or why EC2 did not remove it. */
  | { readonly became: 'left' | 'failed'; readonly why: string }
);

type RemoveOptions = {
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>;
  /** Finds the leftovers again: what is left over once the instances have ended, and who holds the rest. */
  readonly findAgain: () => Promise<Leftovers>;
  /** Called for each resource with its outcome. */
  readonly onOutcome: (outcome: Outcome) => void;
  /** Called with a message about what takes long. */
  readonly onWait: (what: string) => void;
};

/** EC2 ends an instance within a minute or two. */
const ENDING = 5 * MINUTE;
/** EC2 releases volumes and groups some time after it shows the end of their instance. */
const LETTING_GO = 2 * MINUTE;
const POLL_INTERVAL = 3 * SECOND;
/** How long a call that EC2 does not answer is repeated; each of these calls may be made twice. */
const PATIENCE = 20 * SECOND;

/**
 * Removes leftovers, in an order that EC2 allows: the instances, and what depends on them once they have ended. A failure
 * stops nothing else; running it again is safe.
 */
export async function removeLeftovers(
  ec2: Ec2,
  resources: readonly Resource[],
  options: RemoveOptions,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const done = (outcome: Outcome) => {
    outcomes.push(outcome);
    options.onOutcome(outcome);
  };
  const [instances, others] = [
    resources.filter(it => it.kind === 'instance'),
    resources.filter(it => it.kind !== 'instance'),
  ];
  await endInstances(ec2, instances, options, done);
  if (others.length === 0) return outcomes;

  let again: Leftovers;
  try {
    again = await patiently(options.clock, options.findAgain, { patience: PATIENCE });
  } catch (error) {
    for (const resource of others) done({ resource, became: 'failed', why: explain(error) });
    return outcomes;
  }
  const left = new Set(again.masters.flatMap(it => it.leftovers.map(({ id }) => id)));
  const holders = new Map(
    again.masters.flatMap(it =>
      it.held.flatMap(({ why, resources: all }) => all.map(({ id }) => [id, why] as const)),
    ),
  );
  const unknown = new Map(again.unlisted.map(({ kind, error }) => [kind, explain(error)]));
  const deadline = options.clock.monotonic() + LETTING_GO;
  for (const resource of inRemovalOrder(others)) {
    const why = holders.get(resource.id) ?? unknown.get(resource.kind);
    if (why !== undefined) done({ resource, became: 'left', why });
    else if (!left.has(resource.id)) done({ resource, became: 'gone' });
    else done(await remove(ec2, resource, options, deadline));
  }
  return outcomes;
}

function inRemovalOrder(resources: readonly Resource[]): Resource[] {
  return resources.toSorted((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind));
}

/** Terminates instances, and waits until they have ended: until then nothing that they use can be removed. */
async function endInstances(
  ec2: Ec2,
  instances: readonly Resource[],
  { clock, onWait }: RemoveOptions,
  done: (outcome: Outcome) => void,
): Promise<void> {
  const ending = new Map<string, Resource>();
  for (const { resource, error } of await terminate(ec2, instances, clock)) {
    if (error === undefined) ending.set(resource.id, resource);
    else if (isGone(error)) done({ resource, became: 'gone' });
    else done({ resource, became: 'failed', why: explain(error) });
  }
  if (ending.size === 0) return;
  onWait(`waiting for ${counted(ending.size, 'instance')} to end`);
  const deadline = clock.monotonic() + ENDING;
  for (;;) {
    let why = `EC2 did not terminate it within ${ENDING / MINUTE} minutes`;
    try {
      const ended = await endedAmong(ec2, [...ending.keys()]);
      for (const id of ended) {
        const resource = ending.get(id);
        ending.delete(id);
        if (resource !== undefined) done({ resource, became: 'removed' });
      }
    } catch (error) {
      why = `its state cannot be read: ${explain(error)}`;
    }
    if (ending.size === 0) return;
    if (clock.monotonic() >= deadline) {
      for (const resource of ending.values()) done({ resource, became: 'failed', why });
      return;
    }
    await clock.sleep(POLL_INTERVAL);
  }
}

type Attempt = { readonly resource: Resource; readonly error?: unknown };

/** One call for all; if one id makes it fail (it is gone or protected), one call for each. */
async function terminate(
  ec2: Ec2,
  instances: readonly Resource[],
  clock: RemoveOptions['clock'],
): Promise<readonly Attempt[]> {
  if (instances.length === 0) return [];
  try {
    const InstanceIds = instances.map(({ id }) => id);
    await patiently(clock, () => ec2('TerminateInstances', { InstanceIds }), { patience: PATIENCE });
    return instances.map(resource => ({ resource }));
  } catch (error) {
    if (instances.length === 1) return instances.map(resource => ({ resource, error }));
    const attempts: Attempt[] = [];
    for (const resource of instances) attempts.push(...(await terminate(ec2, [resource], clock)));
    return attempts;
  }
}

/** EC2 takes at most 200 values in a filter. */
const FILTER_VALUES = 200;

async function endedAmong(ec2: Ec2, ids: readonly string[]): Promise<readonly string[]> {
  const alive = new Set<string>();
  for (let at = 0; at < ids.length; at += FILTER_VALUES) {
    const { Reservations = [] } = await ec2('DescribeInstances', {
      Filters: [
        { Name: 'instance-id', Values: ids.slice(at, at + FILTER_VALUES) },
        {
          Name: 'instance-state-name',
          Values: ['pending', 'running', 'shutting-down', 'stopping', 'stopped'],
        },
      ],
    });
    for (const { Instances = [] } of Reservations) for (const it of Instances) alive.add(it.InstanceId ?? '');
  }
  return ids.filter(id => !alive.has(id));
}

const REMOVE: Readonly<Record<Exclude<Kind, 'instance'>, (ec2: Ec2, id: string) => Promise<unknown>>> = {
  'spot request': (ec2, id) => ec2('CancelSpotInstanceRequests', { SpotInstanceRequestIds: [id] }),
  volume: (ec2, id) => ec2('DeleteVolume', { VolumeId: id }),
  image: (ec2, id) => ec2('DeregisterImage', { ImageId: id }),
  snapshot: (ec2, id) => ec2('DeleteSnapshot', { SnapshotId: id }),
  'launch template': (ec2, id) => ec2('DeleteLaunchTemplate', { LaunchTemplateId: id }),
  'security group': (ec2, id) => ec2('DeleteSecurityGroup', { GroupId: id }),
};

async function remove(
  ec2: Ec2,
  resource: Resource,
  { clock, onWait }: RemoveOptions,
  deadline: number,
): Promise<Outcome> {
  const { kind, id } = resource;
  if (kind === 'instance') throw new Error(`${id} is an instance, and has been ended before`);
  let waited = false;
  for (;;) {
    try {
      await patiently(clock, () => REMOVE[kind](ec2, id), { patience: PATIENCE });
      return { resource, became: 'removed' };
    } catch (error) {
      if (isGone(error)) return { resource, became: 'gone' };
      if (!isInUse(error) || clock.monotonic() >= deadline)
        return { resource, became: 'failed', why: explain(error) };
      if (!waited) onWait(`waiting until EC2 releases ${kind} ${id}`);
      waited = true;
      await clock.sleep(POLL_INTERVAL);
    }
  }
}
