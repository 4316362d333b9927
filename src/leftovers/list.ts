import type {
  Filter,
  Image,
  Instance,
  LaunchTemplate,
  SecurityGroup,
  Snapshot,
  SpotInstanceRequest,
  Tag,
  Volume,
} from '@aws-sdk/client-ec2';
import type { Ec2 } from '../ec2/api.ts';
import { allPages } from '../ec2/pages.ts';
import { IMAGE_TAG, MASTER_TAG, SYNC_TAG, signOfLife, tagValue } from '../spot/tags.ts';
import { instanceCost, snapshotCost, volumeCost } from './cost.ts';
import type { Kind, Resource } from './resource.ts';

/** A kind of resource that EC2 did not list, and its error. */
export type Unlisted = { readonly kind: Kind; readonly error: unknown };

/** What shows whether a balancer is alive: without it the rest cannot be judged. */
const NEEDED: readonly Kind[] = ['instance', 'launch template'];

/**
 * Everything that exists and carries the ownership tag, of any master. (EC2 forgets by itself what has ended.)
 *
 * @param tagged which ones: those of one master, or all
 * @param now wall clock ms
 * @throws {Ec2Error} when the instances or the launch templates cannot be listed
 */
export async function listResources(
  ec2: Ec2,
  tagged: Filter,
  now: number,
): Promise<{ readonly resources: readonly Resource[]; readonly unlisted: readonly Unlisted[] }> {
  const Filters = [tagged];
  const requests = allPages(
    'DescribeSpotInstanceRequests',
    token => ec2('DescribeSpotInstanceRequests', { Filters, ...token }),
    page => page.SpotInstanceRequests,
  );
  // The maximum cost of an instance is in its request; an instance is listed even when its cost is not known.
  const images = allPages(
    'DescribeImages',
    token => ec2('DescribeImages', { Filters, Owners: ['self'], ...token }),
    page => page.Images,
  );
  const prices = requests.then(pricesOf, () => new Map<string, number>());
  const lists: Readonly<Record<Kind, Promise<readonly (Resource | undefined)[]>>> = {
    instance: allPages(
      'DescribeInstances',
      token => ec2('DescribeInstances', { Filters, ...token }),
      page => page.Reservations?.flatMap(reservation => reservation.Instances ?? []),
    ).then(async all => {
      const known = await prices;
      return all.map(it => fromInstance(it, known.get(it.InstanceId ?? ''), now));
    }),
    'spot request': requests.then(all => all.map(fromRequest)),
    volume: allPages(
      'DescribeVolumes',
      token => ec2('DescribeVolumes', { Filters, ...token }),
      page => page.Volumes,
    ).then(all => all.map(it => fromVolume(it, now))),
    image: images.then(all => all.map(fromImage)),
    snapshot: allPages(
      'DescribeSnapshots',
      token => ec2('DescribeSnapshots', { Filters, OwnerIds: ['self'], ...token }),
      page => page.Snapshots,
    ).then(async all => {
      const usable = (await images).filter(it => it.State === 'available').flatMap(snapshotsOf);
      return all.map(it => fromSnapshot(it, now, usable));
    }),
    'launch template': allPages(
      'DescribeLaunchTemplates',
      token => ec2('DescribeLaunchTemplates', { Filters, ...token }),
      page => page.LaunchTemplates,
    ).then(all => all.map(fromTemplate)),
    'security group': allPages(
      'DescribeSecurityGroups',
      token => ec2('DescribeSecurityGroups', { Filters, ...token }),
      page => page.SecurityGroups,
    ).then(all => all.map(fromGroup)),
  };
  const kinds = Object.keys(lists) as Kind[];
  const answers = await Promise.allSettled(kinds.map(kind => lists[kind]));
  const resources: Resource[] = [];
  const unlisted: Unlisted[] = [];
  answers.forEach((answer, index) => {
    const kind = kinds[index];
    if (kind === undefined) return;
    if (answer.status === 'fulfilled') resources.push(...answer.value.filter(it => it !== undefined));
    else if (NEEDED.includes(kind)) throw answer.reason;
    else unlisted.push({ kind, error: answer.reason });
  });
  return { resources, unlisted };
}

function pricesOf(requests: readonly SpotInstanceRequest[]): Map<string, number> {
  return new Map(
    requests.flatMap(({ InstanceId, SpotPrice }) => {
      const price = Number.parseFloat(SpotPrice ?? '');
      return InstanceId === undefined || Number.isNaN(price) ? [] : [[InstanceId, price] as const];
    }),
  );
}

/** The common properties of a resource; undefined for one that is not ours, or lacks one of them. */
function basis(
  kind: Kind,
  id: string | undefined,
  tags: readonly Tag[] | undefined,
  born: Date | undefined,
): Omit<Resource, 'what'> | undefined {
  const master = tagValue(tags, MASTER_TAG);
  if (id === undefined || master === undefined) return undefined;
  const sync = tagValue(tags, SYNC_TAG) ?? tagValue(tags, IMAGE_TAG);
  const alive = signOfLife(tags);
  return {
    kind,
    id,
    master,
    ...(sync !== undefined && { sync }),
    ...(born !== undefined && { bornAt: born.getTime() }),
    ...(alive !== undefined && { alive }),
  };
}

function ageOf({ bornAt }: Pick<Resource, 'bornAt'>, now: number): number | undefined {
  return bornAt === undefined ? undefined : now - bornAt;
}

function priced(cost: number | undefined): Pick<Resource, 'cost'> {
  return cost === undefined ? {} : { cost };
}

function fromInstance(it: Instance, maxPrice: number | undefined, now: number): Resource | undefined {
  const state = it.State?.Name;
  const base = basis('instance', it.InstanceId, it.Tags, it.LaunchTime);
  if (base === undefined || state === 'shutting-down' || state === 'terminated') return undefined;
  const cost = priced(instanceCost(ageOf(base, now), maxPrice));
  return { ...base, what: `${it.InstanceType ?? 'instance'}, ${state}`, ...cost };
}

function fromRequest(it: SpotInstanceRequest): Resource | undefined {
  const base = basis('spot request', it.SpotInstanceRequestId, it.Tags, it.CreateTime);
  if (base === undefined || (it.State !== 'open' && it.State !== 'active')) return undefined;
  return { ...base, what: it.State, cost: 0 };
}

function fromVolume(it: Volume, now: number): Resource | undefined {
  const base = basis('volume', it.VolumeId, it.Tags, it.CreateTime);
  if (base === undefined || it.State === 'deleting' || it.State === 'deleted') return undefined;
  const { Size = 0, VolumeType = 'unknown type' } = it;
  const cost = priced(volumeCost(ageOf(base, now), VolumeType, Size));
  return { ...base, what: `${Size} GiB ${VolumeType}, ${it.State}`, ...cost };
}

function snapshotsOf({ BlockDeviceMappings }: Image): readonly string[] {
  return (BlockDeviceMappings ?? []).flatMap(it => it.Ebs?.SnapshotId ?? []);
}

function fromImage(it: Image): Resource | undefined {
  const born = it.CreationDate === undefined ? undefined : new Date(it.CreationDate);
  const base = basis('image', it.ImageId, it.Tags, born);
  if (base === undefined || it.State === 'deregistered') return undefined;
  // Its snapshots are what costs.
  return {
    ...base,
    what: `${it.Name}, ${it.State}`,
    cost: 0,
    ...(it.State === 'available' && { isData: true }),
  };
}

/** @param usable the snapshots of images that are complete */
function fromSnapshot(it: Snapshot, now: number, usable: readonly string[]): Resource | undefined {
  const base = basis('snapshot', it.SnapshotId, it.Tags, it.StartTime);
  if (base === undefined) return undefined;
  const { VolumeSize = 0, State } = it;
  const cost = priced(snapshotCost(ageOf(base, now), VolumeSize));
  // One that went to the Recycle Bin was complete, too.
  const isWhole = State !== 'pending' && State !== 'error';
  const ofImage = tagValue(it.Tags, IMAGE_TAG) !== undefined;
  const isData = isWhole && (!ofImage || usable.includes(base.id));
  return {
    ...base,
    what: `${VolumeSize} GiB, ${State}`,
    ...cost,
    ...(isData && { isData }),
    ...(ofImage && { ofImage }),
  };
}

function fromTemplate(it: LaunchTemplate): Resource | undefined {
  const base = basis('launch template', it.LaunchTemplateId, it.Tags, it.CreateTime);
  return base && { ...base, what: it.LaunchTemplateName ?? '', cost: 0 };
}

function fromGroup(it: SecurityGroup): Resource | undefined {
  const base = basis('security group', it.GroupId, it.Tags, undefined);
  return base && { ...base, what: it.GroupName ?? '', cost: 0 };
}
