import type { Image } from '@aws-sdk/client-ec2';
import type { Ec2 } from '../ec2/api.ts';
import { isNoSuch, unless } from '../ec2/errors.ts';
import { allPages } from '../ec2/pages.ts';
import { failure, isUserError } from '../errors.ts';
import type { Site } from '../master/site.ts';
import type { SlaveVolume } from './list-prices.ts';

/** The image of the slaves. */
export type SlaveImage = {
  readonly imageId: string;
  /** The name of the root device; unset for an image without an EBS root. */
  readonly rootDevice?: string;
  /** The names of all devices that become EBS volumes, the root among them. */
  readonly devices: readonly string[];
  /** The volumes that these devices become, by the name of the device, where EC2 says their size. */
  readonly volumes?: Readonly<Record<string, SlaveVolume>>;
  /** What the administrator should know about the choice. */
  readonly warning?: string;
};

const MISSING = Symbol('there is no such image');

/** Whether `findImage` failed because there is no image. */
export function isImageMissing(error: unknown): boolean {
  return isUserError(error) && error.cause === MISSING;
}

/**
 * Finds the slaves' AMI. An id is used as it is. A name, or a part of one (the manual), must belong to one of `owners`,
 * otherwise anybody's image of that name could be run; the newest that fits is used, an exact name first, a deprecated
 * one last. If no image has the name, a master on EC2 uses its own AMI.
 *
 * @param now wall clock ms
 * @throws {UserError} when there is none
 * @throws {Ec2Error}
 */
export async function findImage(
  ec2: Ec2,
  { image: wanted, ownImage }: Pick<Site, 'image' | 'ownImage'>,
  owners: readonly string[],
  now: number = Date.now(),
): Promise<SlaveImage> {
  if (wanted.startsWith('ami-')) {
    const image = await byId(ec2, wanted);
    if (image !== undefined) return slaveImage(image, deprecation(image, now));
    throw failure(
      `[SLAVE] image_id: there is no AMI ${wanted} in this region, or this account may not use it`,
      { cause: MISSING },
    );
  }
  const image = await byName(ec2, wanted, owners, now);
  if (image !== undefined) return slaveImage(image, deprecation(image, now));
  const none = `[SLAVE] image_id: no available AMI whose name has "${wanted}" belongs to ${owners.join(', ')} in this region`;
  const own = ownImage === undefined ? undefined : await byId(ec2, ownImage);
  if (own === undefined)
    throw failure(`${none}; give its id, or name its owner in [SLAVE] image_owner`, { cause: MISSING });
  return slaveImage(own, `${none}, so slaves are started from this master's own AMI ${own.ImageId}`);
}

function slaveImage(image: Image, warning: string | undefined): SlaveImage {
  const devices = (image.BlockDeviceMappings ?? []).flatMap(it =>
    it.DeviceName !== undefined && it.Ebs !== undefined ? [it.DeviceName] : [],
  );
  const volumes = (image.BlockDeviceMappings ?? []).flatMap(({ DeviceName, Ebs }) =>
    DeviceName !== undefined && Ebs?.VolumeSize !== undefined
      ? [[DeviceName, { size: Ebs.VolumeSize, type: Ebs.VolumeType ?? 'gp2' }] as const]
      : [],
  );
  const rootDevice = devices.find(it => it === image.RootDeviceName);
  return {
    imageId: image.ImageId ?? '',
    devices,
    volumes: Object.fromEntries(volumes),
    ...(rootDevice !== undefined && { rootDevice }),
    ...(warning !== undefined && { warning }),
  };
}

function isDeprecated({ DeprecationTime }: Image, now: number): boolean {
  return Date.parse(DeprecationTime ?? '') <= now;
}

function deprecation(image: Image, now: number): string | undefined {
  if (!isDeprecated(image, now)) return undefined;
  return `the owner of the slaves' AMI ${image.ImageId} ("${image.Name}") deprecated it on ${image.DeprecationTime?.slice(0, 10)} and may delete it: set a newer one in [SLAVE] image_id`;
}

async function byId(ec2: Ec2, id: string): Promise<Image | undefined> {
  return (await unless(isNoSuch, ec2('DescribeImages', { ImageIds: [id] })))?.Images?.[0];
}

async function byName(
  ec2: Ec2,
  name: string,
  owners: readonly string[],
  now: number,
): Promise<Image | undefined> {
  const images = await allPages(
    'DescribeImages',
    token =>
      ec2('DescribeImages', {
        Owners: [...owners],
        IncludeDeprecated: true,
        Filters: [
          { Name: 'name', Values: [`*${name}*`] },
          { Name: 'state', Values: ['available'] },
        ],
        ...token,
      }),
    page => page.Images,
  );
  const exact = images.filter(image => image.Name === name);
  return (exact.length > 0 ? exact : images).toSorted(
    (a, b) =>
      Number(isDeprecated(a, now)) - Number(isDeprecated(b, now)) ||
      (b.CreationDate ?? '').localeCompare(a.CreationDate ?? ''),
  )[0];
}
