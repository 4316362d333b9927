import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import type { Filter, Tag, TagSpecification } from '@aws-sdk/client-ec2';
import type { Ec2 } from '../ec2/api.ts';
import { failure } from '../errors.ts';

/** The ownership tag: what does not carry it with this master's name is never touched. */
export const MASTER_TAG = 'gbrowse-aws-balancer:master';
/** Since when (ISO time) a slave has been out of the farm, waiting for the renders that it still does. */
export const DRAINING_TAG = 'gbrowse-aws-balancer:draining';
/** The ports that a slave listens on: it keeps them when the configuration changes. */
export const PORTS_TAG = 'gbrowse-aws-balancer:ports';
/** The data snapshots that a slave was made from. */
export const DATA_TAG = 'gbrowse-aws-balancer:data';
/** The ClientToken of the launch that a slave came from: a lost answer is recognised by it. */
export const LAUNCH_TAG = 'gbrowse-aws-balancer:launch';
/** On everything that a run of `sync` makes for itself, next to the ownership tag: the id of that run. */
export const SYNC_TAG = 'gbrowse-aws-balancer:sync';
/** On an image of slaves and its snapshots, next to the ownership tag: the id of the run of `image` that made them. */
export const IMAGE_TAG = 'gbrowse-aws-balancer:image';
/** When (ISO time), and on which host, a balancer last was alive, on its launch template; a sync, on its instance. */
export const ALIVE_TAG = 'gbrowse-aws-balancer:alive';

/** The tags that everything of a master carries from the call that creates it. */
export function ownTags(master: string): Tag[] {
  return [
    { Key: 'Name', Value: 'GBrowse Slave' },
    { Key: 'Requestor', Value: 'GBrowse AWS Balancer' },
    { Key: MASTER_TAG, Value: master },
  ];
}

/** Own tags for one kind of resource, as a call that creates it takes them. */
export function tagged(
  resourceType: NonNullable<TagSpecification['ResourceType']>,
  tags: Tag[],
): TagSpecification {
  return { ResourceType: resourceType, Tags: tags };
}

/** A tag's value has at most so many characters (EC2 User Guide, "Tag restrictions"). */
const LONGEST_VALUE = 256;

/** The value of the data tag: the snapshots as the configuration file has them, or their hash where that is too long. */
export function dataTag(snapshots: readonly string[]): string {
  const list = snapshots.join(' ');
  if (list.length <= LONGEST_VALUE) return list;
  return `sha256:${createHash('sha256').update(list).digest('hex')}`;
}

/**
 * The value of the ports tag: `8101 8102`, and runs of more than two as `8101-8116`.
 *
 * @throws {UserError} when that is too long for a tag
 */
export function portsTag(ports: readonly number[]): string {
  const runs: { from: number; to: number }[] = [];
  for (const port of ports.toSorted((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last !== undefined && port <= last.to + 1) last.to = port;
    else runs.push({ from: port, to: port });
  }
  const value = runs
    .map(({ from, to }) => (to - from > 1 ? `${from}-${to}` : from === to ? `${from}` : `${from} ${to}`))
    .join(' ');
  if (value.length <= LONGEST_VALUE) return value;
  throw failure(
    `[SLAVE] ports: an EC2 tag holds ${LONGEST_VALUE} characters, too few for these ${ports.length} ports; use consecutive ports, such as 8101 8102 8103`,
  );
}

/** The ports that a ports tag names. */
export function portsOfTag(value: string): readonly number[] {
  return value.split(' ').flatMap(run => {
    const [from = Number.NaN, to = from] = run.split('-', 2).map(Number);
    if (!(1 <= from && from <= to && to <= 65_535)) return [];
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
}

/** The filter that finds only what is this master's. */
export function ownedBy(master: string): Filter {
  return { Name: `tag:${MASTER_TAG}`, Values: [master] };
}

/** Whether something of a master's is the balancer's: what has the tag of a `sync` or `image` is that one's. */
export function isBalancers({ Tags }: { readonly Tags?: readonly Tag[] | undefined }): boolean {
  return tagValue(Tags, SYNC_TAG) === undefined && tagValue(Tags, IMAGE_TAG) === undefined;
}

/** The value of a tag; undefined when it is not there. */
export function tagValue(tags: readonly Tag[] | undefined, key: string): string | undefined {
  return tags?.find(tag => tag.Key === key)?.Value;
}

/** A balancer, or a sync, was alive at this moment (wall clock ms) on the machine of this name. */
export type SignOfLife = { readonly at: number; readonly host: string };

/** The activity tag: `2026-01-02T03:04:05.678Z HOST`. */
export function aliveTag(now: number, host: string = hostname()): Tag {
  return { Key: ALIVE_TAG, Value: `${new Date(now).toISOString()} ${host}` };
}

/** The activity in tags; undefined when there is none that can be read. */
export function signOfLife(tags: readonly Tag[] | undefined): SignOfLife | undefined {
  const [time = '', host = ''] = (tagValue(tags, ALIVE_TAG) ?? '').split(' ');
  const at = Date.parse(time);
  return Number.isNaN(at) ? undefined : { at, host };
}

/**
 * Writes the activity tag (wall clock ms) on our resources: `gc` on another machine spares what belongs to them.
 *
 * @throws {Ec2Error}
 */
export async function markAlive(ec2: Ec2, resourceIds: readonly string[], now: number): Promise<void> {
  await ec2('CreateTags', { Resources: [...resourceIds], Tags: [aliveTag(now)] });
}
