import type { BlockDeviceMapping, Image } from '@aws-sdk/client-ec2';
import type { Ec2 } from '../ec2/api.ts';
import { isNoSuch, unless } from '../ec2/errors.ts';
import { failure } from '../errors.ts';

/** The image of the slaves. */
export type SlaveImage = {
  readonly imageId: string;
  /** The root device as the image says it; unset for an image without an EBS root. */
  readonly root?: BlockDeviceMapping;
};

/**
 * Finds the slaves' AMI. An id is taken as it is. A name, or a part of one (the manual), must belong to one of
 * `owners`, else anybody's image of that name would be run; the newest that fits is taken, an exact name first.
 *
 * @throws {UserError} when there is none
 * @throws {Ec2Error}
 */
export async function findImage(ec2: Ec2, image: string, owners: readonly string[]): Promise<SlaveImage> {
  const found = image.startsWith('ami-') ? await byId(ec2, image) : await byName(ec2, image, owners);
  if (found?.ImageId === undefined) {
    throw failure(
      image.startsWith('ami-')
        ? `[SLAVE] image_id: there is no AMI ${image} in this region, or this account may not use it`
        : `[SLAVE] image_id: no available AMI whose name has "${image}" belongs to ${owners.join(', ')} in this region; give its id, or name its owner in [SLAVE] image_owner`,
    );
  }
  const root = found.BlockDeviceMappings?.find(
    mapping => mapping.DeviceName === found.RootDeviceName && mapping.Ebs !== undefined,
  );
  return { imageId: found.ImageId, ...(root !== undefined && { root }) };
}

async function byId(ec2: Ec2, id: string): Promise<Image | undefined> {
  return (await unless(isNoSuch, ec2('DescribeImages', { ImageIds: [id] })))?.Images?.[0];
}

async function byName(ec2: Ec2, name: string, owners: readonly string[]): Promise<Image | undefined> {
  const answer = await ec2('DescribeImages', {
    Owners: [...owners],
    Filters: [
      { Name: 'name', Values: [`*${name}*`] },
      { Name: 'state', Values: ['available'] },
    ],
  });
  const images = answer.Images ?? [];
  const exact = images.filter(image => image.Name === name);
  return (exact.length > 0 ? exact : images).toSorted((a, b) =>
    (b.CreationDate ?? '').localeCompare(a.CreationDate ?? ''),
  )[0];
}
