import type { Image } from '@aws-sdk/client-ec2';
import type { Ec2 } from '../../ec2/api.ts';
import { isNoSuch, unless } from '../../ec2/errors.ts';
import { allPages } from '../../ec2/pages.ts';
import { failure } from '../../errors.ts';
import type { Distribution } from '../survey/distribution.ts';

/** The image from which a new one is made. */
export type BaseImage = {
  readonly imageId: string;
  readonly name: string;
  readonly rootDevice: string;
  readonly devices: readonly string[];
  /** The user who may log in. */
  readonly login: string;
};

/** As EC2 names them. */
export type Architecture = 'x86_64' | 'arm64';

/** As Debian and Ubuntu name them. */
const NAMES = { x86_64: 'amd64', arm64: 'arm64' } as const;

/**
 * How the distributions publish their images. (Debian's wiki, "Cloud/AmazonEC2Image"; Ubuntu on AWS documentation, "Find
 * Ubuntu images on AWS")
 */
export function officialImages(
  { id, version }: Distribution,
  architecture: Architecture,
): { readonly owner: string; readonly name: string; readonly login: string } {
  const name = NAMES[architecture];
  return id === 'debian'
    ? { owner: '136693071363', name: `debian-${version}-${name}-*`, login: 'admin' }
    : {
        owner: '099720109477',
        name: `ubuntu/images/hvm-ssd*/ubuntu-*-${version}-${name}-server-*`,
        login: 'ubuntu',
      };
}

/**
 * Finds the newest official image of a distribution.
 *
 * @throws {UserError} when there is none in this region
 * @throws {Ec2Error}
 */
export async function findOfficialImage(
  ec2: Ec2,
  distribution: Distribution,
  architecture: Architecture,
): Promise<BaseImage> {
  const { owner, name, login } = officialImages(distribution, architecture);
  const images = await allPages(
    'DescribeImages',
    token =>
      ec2('DescribeImages', {
        Owners: [owner],
        Filters: [
          { Name: 'name', Values: [name] },
          { Name: 'state', Values: ['available'] },
          { Name: 'architecture', Values: [architecture] },
        ],
        ...token,
      }),
    page => page.Images,
  );
  const [newest] = images.toSorted((a, b) => (b.CreationDate ?? '').localeCompare(a.CreationDate ?? ''));
  if (newest !== undefined) return baseImage(newest, login);
  throw failure(
    `account ${owner} has no image named "${name}" in this region; find one of ${distribution.id} ${distribution.version}, and name it with --from`,
  );
}

/**
 * The image with this id.
 *
 * @throws {UserError} when it does not exist, or cannot be used
 * @throws {Ec2Error}
 */
export async function findGivenImage(
  ec2: Ec2,
  id: string,
  login: string,
  architecture: Architecture,
): Promise<BaseImage> {
  const image = (await unless(isNoSuch, ec2('DescribeImages', { ImageIds: [id] })))?.Images?.[0];
  if (image === undefined) {
    throw failure(`--from: there is no AMI ${id} in this region, or this account may not use it`);
  }
  if (image.Architecture !== architecture) {
    throw failure(
      `--from: ${id} is for ${image.Architecture}, and the first instance_type is ${architecture}; name another AMI, or change the order of instance_type`,
    );
  }
  return baseImage(image, login);
}

function baseImage(image: Image, login: string): BaseImage {
  const { ImageId: imageId = '', Name: name = '', RootDeviceName: rootDevice } = image;
  const devices = (image.BlockDeviceMappings ?? []).flatMap(it =>
    it.DeviceName !== undefined && it.Ebs !== undefined ? [it.DeviceName] : [],
  );
  if (rootDevice === undefined || !devices.includes(rootDevice)) {
    throw failure(`${imageId} has no EBS volume as its root, so no image can be made from an instance of it`);
  }
  return { imageId, name, rootDevice, devices, login };
}

/** Of the configured instance types, those that an image is made for. */
export type Targets = {
  readonly architecture: Architecture;
  /** Those of that architecture, in the order of the configuration. */
  readonly instanceTypes: readonly string[];
  /** Those of other architectures, which cannot boot the image. */
  readonly others: readonly string[];
};

/**
 * An image is for one architecture: that of the first instance type.
 *
 * @throws {UserError} when that is one that no image is made for
 * @throws {Ec2Error}
 */
export async function targetsOf(ec2: Ec2, instanceTypes: readonly string[]): Promise<Targets> {
  const answer = await allPages(
    'DescribeInstanceTypes',
    // New types appear faster than the SDK's list of them.
    token => ec2('DescribeInstanceTypes', { InstanceTypes: [...instanceTypes] as 'm5.large'[], ...token }),
    page => page.InstanceTypes,
  );
  const of = (type: string): Architecture | undefined => {
    const supported =
      answer.find(it => it.InstanceType === type)?.ProcessorInfo?.SupportedArchitectures ?? [];
    return (['x86_64', 'arm64'] as const).find(it => supported.includes(it));
  };
  const [first = ''] = instanceTypes;
  const architecture = of(first);
  if (architecture === undefined) {
    throw failure(`${first} is neither x86_64 nor arm64, so no image can be made for it`);
  }
  const isTarget = (type: string) => of(type) === architecture;
  return {
    architecture,
    instanceTypes: instanceTypes.filter(isTarget),
    others: instanceTypes.filter(it => !isTarget(it)),
  };
}
