import type {
  DescribeImagesRequest,
  DescribeImagesResult,
  DescribeRouteTablesRequest,
  DescribeRouteTablesResult,
  DescribeSubnetsRequest,
  DescribeSubnetsResult,
  Image,
  Subnet,
} from '@aws-sdk/client-ec2';
import { type Account, freeAddresses } from './account.ts';
import { type Fields, passes } from './filters.ts';
import { Refusal } from './refusal.ts';
import type { ImageSettings, SubnetSettings } from './settings.ts';
import type { Tags } from './tags.ts';

const NO_TAGS: Tags = new Map();
/** The device of an image's root volume. */
export const ROOT_DEVICE = '/dev/xvda';

type Tagged = { readonly tags: Tags };

const IMAGE_FIELDS: Fields<ImageSettings & Tagged> = {
  name: it => it.name,
  'image-id': it => it.id,
  'owner-id': it => it.owner,
  'owner-alias': it => it.ownerAlias,
  state: () => 'available',
  architecture: () => 'x86_64',
  'root-device-type': () => 'ebs',
  'virtualization-type': () => 'hvm',
  'is-public': () => 'true',
};

export function describeImages(account: Account, request: DescribeImagesRequest): DescribeImagesResult {
  const { ImageIds, Owners } = request;
  for (const id of ImageIds ?? []) findImage(account, id);
  const owners = Owners?.map(owner => (owner === 'self' ? account.settings.accountId : owner));
  const images = account.settings.images
    .map(image => ({ ...image, tags: NO_TAGS }))
    .filter(image => ImageIds === undefined || ImageIds.includes(image.id))
    .filter(
      image =>
        owners === undefined || owners.includes(image.owner) || owners.includes(image.ownerAlias ?? ''),
    )
    .filter(
      image => ImageIds !== undefined || request.IncludeDeprecated === true || !isHidden(account, image),
    )
    .filter(passes('DescribeImages', request.Filters, IMAGE_FIELDS));
  return { Images: images.map(image => toSdkImage(account, image)) };
}

/** A deprecated image of somebody else is found by its id, or when it is asked for (API reference, `IncludeDeprecated`). */
function isHidden(account: Account, { owner, deprecatedAt }: ImageSettings): boolean {
  return owner !== account.settings.accountId && Date.parse(deprecatedAt ?? '') <= account.now();
}

/** @throws {Refusal} as EC2 does for an id that is malformed or not there */
export function findImage(account: Account, id: string): ImageSettings {
  if (!/^ami-[0-9a-z]+$/.test(id)) throw new Refusal('InvalidAMIID.Malformed', `Invalid id: "${id}"`);
  const image = account.settings.images.find(it => it.id === id);
  if (image === undefined)
    throw new Refusal('InvalidAMIID.NotFound', `The image id '[${id}]' does not exist`);
  return image;
}

function toSdkImage(account: Account, image: ImageSettings): Image {
  const size = account.snapshots.get(image.rootSnapshot)?.size;
  return {
    ImageId: image.id,
    Name: image.name,
    OwnerId: image.owner,
    ...(image.ownerAlias !== undefined && { ImageOwnerAlias: image.ownerAlias }),
    ImageLocation: `${image.ownerAlias ?? image.owner}/${image.name}`,
    CreationDate: image.createdAt,
    ...(image.deprecatedAt !== undefined && { DeprecationTime: image.deprecatedAt }),
    State: 'available',
    Public: true,
    Architecture: 'x86_64',
    ImageType: 'machine',
    VirtualizationType: 'hvm',
    PlatformDetails: 'Linux/UNIX',
    RootDeviceType: 'ebs',
    RootDeviceName: ROOT_DEVICE,
    BlockDeviceMappings: [
      {
        DeviceName: ROOT_DEVICE,
        Ebs: {
          SnapshotId: image.rootSnapshot,
          ...(size !== undefined && { VolumeSize: size }),
          VolumeType: 'gp3',
          DeleteOnTermination: true,
          Encrypted: false,
        },
      },
      ...Object.entries(image.dataDevices ?? {}).map(([DeviceName, SnapshotId]) => ({
        DeviceName,
        Ebs: {
          SnapshotId,
          VolumeSize: account.snapshots.get(SnapshotId)?.size,
          VolumeType: 'gp3' as const,
          DeleteOnTermination: false,
        },
      })),
    ],
  };
}

const SUBNET_FIELDS: Fields<
  SubnetSettings & Tagged & { readonly vpcId: string; readonly isDefault: boolean }
> = {
  'subnet-id': it => it.id,
  'vpc-id': it => it.vpcId,
  'availability-zone': it => it.zone,
  'default-for-az': it => String(it.isDefault),
  state: () => 'available',
  'cidr-block': it => it.cidr,
};

export function describeSubnets(account: Account, request: DescribeSubnetsRequest): DescribeSubnetsResult {
  const { SubnetIds } = request;
  for (const id of SubnetIds ?? []) findSubnet(account, id);
  const { vpcId } = account.settings;
  const subnets = account.settings.subnets
    .map(subnet => ({ ...subnet, vpcId, isDefault: isDefault(account, subnet), tags: NO_TAGS }))
    .filter(subnet => SubnetIds === undefined || SubnetIds.includes(subnet.id))
    .filter(passes('DescribeSubnets', request.Filters, SUBNET_FIELDS));
  return { Subnets: subnets.map(subnet => toSdkSubnet(account, subnet)) };
}

/** @throws {Refusal} as EC2 does for an id that is not there */
export function findSubnet(account: Account, id: string): SubnetSettings {
  const subnet = account.settings.subnets.find(it => it.id === id);
  if (subnet === undefined) {
    throw new Refusal('InvalidSubnetID.NotFound', `The subnet ID '${id}' does not exist`);
  }
  return subnet;
}

function toSdkSubnet(account: Account, subnet: SubnetSettings): Subnet {
  const { id, zone, cidr } = subnet;
  return {
    SubnetId: id,
    VpcId: account.settings.vpcId,
    OwnerId: account.settings.accountId,
    AvailabilityZone: zone,
    AvailabilityZoneId: zoneId(account, zone),
    CidrBlock: cidr,
    State: 'available',
    DefaultForAz: isDefault(account, subnet),
    MapPublicIpOnLaunch: true,
    AvailableIpAddressCount: freeAddresses(account, id),
    Tags: [],
  };
}

function isDefault({ settings }: Account, subnet: SubnetSettings): boolean {
  return settings.subnets.find(it => it.zone === subnet.zone)?.id === subnet.id;
}

/** The main route table, with a route to the internet, and one without for the subnets that have none. */
export function describeRouteTables(
  { settings }: Account,
  { Filters = [] }: DescribeRouteTablesRequest,
): DescribeRouteTablesResult {
  const inVpc = Filters.every(it => it.Name === 'vpc-id' && it.Values?.includes(settings.vpcId));
  if (!inVpc) return { RouteTables: [] };
  const local = { DestinationCidrBlock: '172.31.0.0/16', GatewayId: 'local', State: 'active' as const };
  const internet = {
    DestinationCidrBlock: '0.0.0.0/0',
    GatewayId: 'igw-0f1e2d3c4b5a69780',
    State: 'active' as const,
  };
  const inside = settings.subnets.filter(it => it.isRouted === false);
  const common = { VpcId: settings.vpcId, OwnerId: settings.accountId };
  return {
    RouteTables: [
      { ...common, RouteTableId: 'rtb-0a1', Associations: [{ Main: true }], Routes: [local, internet] },
      {
        ...common,
        RouteTableId: 'rtb-0a2',
        Associations: inside.map(it => ({ Main: false, SubnetId: it.id })),
        Routes: [local],
      },
    ],
  };
}

/** A zone's id (`usw2-az1`). */
export function zoneId(account: Account, zone: string): string {
  const number = account.settings.subnets.findIndex(it => it.zone === zone) + 1;
  return `${account.settings.region.replace(/^(..)-(.).*-(\d)$/, '$1$2$3')}-az${number}`;
}
