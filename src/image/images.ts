import type { CreateImageRequest, Image, Tag } from '@aws-sdk/client-ec2';
import { type Clock, HOUR, MINUTE, SECOND } from '../clock.ts';
import type { Ec2 } from '../ec2/api.ts';
import { isDuplicate, isGone, isInUse, isPassing, unless, unlessGone } from '../ec2/errors.ts';
import { allPages } from '../ec2/pages.ts';
import { failure } from '../errors.ts';
import { IMAGE_TAG, MASTER_TAG, ownedBy, tagged } from '../spot/tags.ts';
import type { Run } from '../staging/run.ts';
import type { Tools } from '../staging/tools.ts';
import type { OwnImage } from './plan/retention.ts';

const LOOK_AGAIN = 2 * SECOND;
/** EC2 needs some minutes for a root volume of some gigabytes. */
const COMPLETE_LIMIT = 6 * HOUR;
const CREATE_LIMIT = 10 * MINUTE;

/** The name of the image that a run makes: only characters that EC2 allows, at most 128. */
export function imageName({ master, id }: Run, now: number): string {
  const time = new Date(now).toISOString().slice(0, 16).replace('T', ' ').replaceAll(':', '');
  const end = `, ${time}, ${id}`;
  const begin = `GBrowse slave of ${master}`.replaceAll(/[^a-zA-Z0-9()[\] ./\-'@_]/g, '-');
  return `${begin.slice(0, 128 - end.length)}${end}`.replaceAll(',', '');
}

/** The tags of an image and its snapshots. They do not belong to `sync`, so they have another tag. */
export function imageTags({ master, id }: Run, name: string): Tag[] {
  return [
    { Key: 'Name', Value: name },
    { Key: 'Requestor', Value: 'GBrowse AWS Balancer' },
    { Key: MASTER_TAG, Value: master },
    { Key: IMAGE_TAG, Value: id },
  ];
}

/**
 * Makes an image of an instance, and waits until it is complete. EC2 restarts the instance for it, which is no shutdown of the
 * instance's own, so it does not terminate. CreateImage has no ClientToken:
 * when its answer is lost, its image is found by its name.
 *
 * @returns its id
 * @throws {UserError} when EC2 cannot complete it
 * @throws {Ec2Error}
 */
export async function createImage(tools: Tools, run: Run, instanceId: string): Promise<string> {
  const { clock, signal } = tools;
  const name = imageName(run, clock.wall());
  const tags = imageTags(run, name);
  const request: CreateImageRequest = {
    InstanceId: instanceId,
    Name: name,
    Description: `Renders as the GBrowse master ${run.master} does; made by gbrowse-aws-balancer`.slice(
      0,
      255,
    ),
    TagSpecifications: [tagged('image', tags), tagged('snapshot', tags)],
  };
  const imageId = await create(tools, run, request);
  await untilAvailable(tools, imageId, clock, signal);
  return imageId;
}

async function create(
  { ec2, ec2Once, clock, signal }: Tools,
  run: Run,
  request: CreateImageRequest,
): Promise<string> {
  const until = clock.monotonic() + CREATE_LIMIT;
  for (;;) {
    try {
      const { ImageId } = await ec2Once('CreateImage', request, { signal });
      if (ImageId !== undefined) return ImageId;
    } catch (error) {
      const maybe = isPassing(error) || isDuplicate(error);
      if (signal.aborted || !maybe || clock.monotonic() >= until) throw error;
    }
    await clock.sleep(LOOK_AGAIN, signal);
    const [made] = await imagesOfRun(ec2, run);
    if (made?.ImageId !== undefined) return made.ImageId;
  }
}

async function untilAvailable(
  { ec2, report }: Tools,
  imageId: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const until = clock.monotonic() + COMPLETE_LIMIT;
  while (clock.monotonic() < until) {
    // An image that was just made may not be shown yet.
    const answer = await unless(isGone, ec2('DescribeImages', { ImageIds: [imageId] }));
    const [image] = answer?.Images ?? [];
    if (image?.State === 'available') return;
    if (image !== undefined && image.State !== 'pending') {
      throw failure(
        `EC2 could not complete ${imageId}: ${image.StateReason?.Message ?? `it is ${image.State}`}; run image again`,
      );
    }
    report.progress(`${await progressOf(ec2, image)} % of the image is stored`);
    await clock.sleep(LOOK_AGAIN, signal);
  }
  throw failure(`${imageId} was not complete within ${COMPLETE_LIMIT / HOUR} hours; run image again`);
}

async function progressOf(ec2: Ec2, image: Image | undefined): Promise<number> {
  const ids = image === undefined ? [] : snapshotsOf(image);
  if (ids.length === 0) return 0;
  const answer = await unless(isGone, ec2('DescribeSnapshots', { SnapshotIds: [...ids] }));
  const shares = (answer?.Snapshots ?? []).map(it => Number.parseInt(it.Progress ?? '0', 10) || 0);
  return shares.length === 0 ? 0 : Math.min(100, ...shares);
}

function snapshotsOf({ BlockDeviceMappings }: Image): readonly string[] {
  return (BlockDeviceMappings ?? []).flatMap(it => it.Ebs?.SnapshotId ?? []);
}

async function imagesOfRun(ec2: Ec2, { master, id }: Run): Promise<readonly Image[]> {
  const Filters = [ownedBy(master), { Name: `tag:${IMAGE_TAG}`, Values: [id] }];
  return (await ec2('DescribeImages', { Owners: ['self'], Filters })).Images ?? [];
}

/** The images that `image` has made for this master. */
export async function findOwnImages(ec2: Ec2, master: string): Promise<readonly OwnImage[]> {
  const Filters = [ownedBy(master), { Name: 'tag-key', Values: [IMAGE_TAG] }];
  const images = await allPages(
    'DescribeImages',
    token => ec2('DescribeImages', { Owners: ['self'], Filters, ...token }),
    page => page.Images,
  );
  return images.map(it => ({
    imageId: it.ImageId ?? '',
    name: it.Name ?? '',
    madeAt: Date.parse(it.CreationDate ?? '') || 0,
    isComplete: it.State === 'available',
    snapshots: snapshotsOf(it),
  }));
}

/** How long EC2 may take to release the snapshots of a removed image. */
const LETTING_GO = 2 * MINUTE;

/** Removes an image and its snapshots; what is gone already is no error. */
export async function removeImage(
  ec2: Ec2,
  { imageId, snapshots }: Pick<OwnImage, 'imageId' | 'snapshots'>,
  clock: Clock,
): Promise<void> {
  const until = clock.monotonic() + LETTING_GO;
  await unlessGone(ec2('DeregisterImage', { ImageId: imageId }));
  for (const SnapshotId of snapshots) {
    for (let gone = false; !gone; ) {
      try {
        await unlessGone(ec2('DeleteSnapshot', { SnapshotId }));
        gone = true;
      } catch (error) {
        if (!isInUse(error) || clock.monotonic() >= until) throw error;
        await clock.sleep(LOOK_AGAIN);
      }
    }
  }
}

/** Removes whatever image a run has made, with its snapshots. */
export async function removeImagesOf(ec2: Ec2, run: Run, clock: Clock): Promise<void> {
  const Filters = [ownedBy(run.master), { Name: `tag:${IMAGE_TAG}`, Values: [run.id] }];
  const found = (await ec2('DescribeSnapshots', { OwnerIds: ['self'], Filters })).Snapshots ?? [];
  const tagged = found.flatMap(it => it.SnapshotId ?? []);
  for (const image of await imagesOfRun(ec2, run)) {
    const snapshots = [...new Set([...snapshotsOf(image), ...tagged])];
    await removeImage(ec2, { imageId: image.ImageId ?? '', snapshots }, clock);
  }
}
