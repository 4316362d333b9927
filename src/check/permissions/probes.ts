import type { _InstanceType, RequestLaunchTemplateData } from '@aws-sdk/client-ec2';
import type { Config } from '../../config/config.ts';
import type { Ec2Action, Ec2Actions } from '../../ec2/api.ts';
import { actionsOf, type Uses } from '../../iam/actions.ts';
import { createFleetRequest } from '../../spot/launch.ts';
import { templateData, templateName } from '../../spot/launch-template.ts';
import { findGivenGroup, groupName } from '../../spot/security-group.ts';
import { aliveTag, ownTags, tagged } from '../../spot/tags.ts';
import { known } from '../known.ts';
import type { World } from '../world.ts';
import type { OwnResources } from './own.ts';
import type { Probe } from './try-out.ts';

/** Well-formed ids that belong to nobody. */
const NO_TEMPLATE = 'lt-00000000000000000';
const NO_GROUP = 'sg-00000000000000000';
const NO_SUBNET = 'subnet-00000000000000000';
const NO_VPC = 'vpc-00000000000000000';
const NO_IMAGE = 'ami-00000000000000000';

type Request<A extends Ec2Action> = Ec2Actions[A][0];

function probe<A extends Ec2Action>(action: A, request: Request<A>, standIns: readonly string[] = []): Probe {
  return {
    action,
    call: ec2 => ec2(action, { ...request, DryRun: true }),
    ...(standIns.length > 0 && { standIns }),
  };
}

/**
 * A trial of every action that can be tried. An action that changes something is tried on this master's own resource,
 * because EC2 checks the resource before the permission, and a policy that allows it on tagged resources denies it on
 * others. An action that creates something is tried with the request that the balancer would make.
 *
 * @returns also the actions for which this master has no resource yet
 */
export async function probesFor(
  world: World,
  own: OwnResources,
): Promise<{ readonly probes: readonly Probe[]; readonly untried: readonly Ec2Action[] }> {
  const [{ slave }, { name }, uses] = await Promise.all([world.config(), world.site(), usesOf(world, own)]);
  const kinds = actionsOf(uses);
  const probes: Probe[] = [];
  for (const [action, kind] of kinds) if (kind === 'describe') probes.push(probe(action, {}));
  probes.push(...(await creating(world, own, uses)), ...changing(own, slave.ports[0] ?? 8101));
  probes.push(...staging(own, name, uses));
  const tried = new Set(probes.map(({ action }) => action));
  return { probes, untried: [...kinds.keys()].filter(action => !tried.has(action)) };
}

async function creating(world: World, own: OwnResources, uses: Uses): Promise<readonly Probe[]> {
  const [site, config] = await Promise.all([world.site(), world.config()]);
  const { slave } = config;
  const [image, placements] = await Promise.all([known(world.image()), known(world.placements())]);
  const places = placements ?? [{ subnetId: NO_SUBNET, vpcId: NO_VPC }];
  const place = places[0] ?? { subnetId: NO_SUBNET, vpcId: NO_VPC };
  const group = (await givenGroup(world, config)) ?? own.securityGroup;
  const source = {
    site,
    slave,
    image: image ?? { imageId: NO_IMAGE, devices: [] },
    securityGroupId: group ?? NO_GROUP,
  };
  const data = templateData(source);
  // Who may launch on demand may launch spot instances as well.
  const buys = slave.onDemand > 0;
  const plan = {
    templateId: own.launchTemplate ?? NO_TEMPLATE,
    imageId: image?.imageId ?? NO_IMAGE,
    found: own.launchTemplate !== undefined,
    spotBid: slave.spotBid,
    pools: slave.instanceTypes.flatMap(instanceType =>
      places.map(({ subnetId }) => ({ instanceType, subnetId })),
    ),
  };
  const fleet = createFleetRequest({ token: 'gbrowse-check', count: 1, plan }, site.name);
  return [
    probe('CreateLaunchTemplate', {
      LaunchTemplateName: templateName(site.name, data),
      LaunchTemplateData: data,
      TagSpecifications: [tagged('launch-template', ownTags(site.name))],
    }),
    probe('CreateSecurityGroup', {
      GroupName: groupName(site.name),
      Description: 'GBrowse render slaves: lets in their master alone',
      VpcId: place.vpcId,
      TagSpecifications: [tagged('security-group', ownTags(site.name))],
    }),
    // Without its token: a dry run with one could be taken for the launch itself.
    probe(
      'CreateFleet',
      { ...fleet, ClientToken: undefined },
      own.launchTemplate === undefined ? ['launch-template'] : [],
    ),
    probe(
      'RunInstances',
      {
        ...runFrom(
          buys ? templateData({ ...source, onDemand: true }) : data,
          slave.instanceTypes[0] ?? '',
          place.subnetId,
          group,
        ),
        ...(!buys && {
          InstanceMarketOptions: {
            MarketType: 'spot' as const,
            SpotOptions: { MaxPrice: String(slave.spotBid) },
          },
        }),
        MinCount: 1,
        MaxCount: 1,
      },
      group === undefined ? ['security-group'] : [],
    ),
    // Theirs is on demand. Without an image there is nothing to try it with.
    ...((uses.sync || uses.image) && image !== undefined
      ? [
          probe(
            'RunInstances',
            {
              ...runFrom(data, slave.instanceTypes[0] ?? '', place.subnetId, group),
              TagSpecifications: (['instance', 'volume', 'network-interface'] as const).map(type =>
                tagged(type, ownTags(site.name)),
              ),
              MinCount: 1,
              MaxCount: 1,
            },
            group === undefined ? ['security-group'] : [],
          ),
        ]
      : []),
  ];
}

/**
 * The commands that the permissions have to suffice for: those that were asked for, and those whose result this master
 * has.
 */
export async function usesOf(world: World, own: OwnResources): Promise<Uses> {
  const { slave } = await world.config();
  return {
    sync: world.options.sync === true || slave.dataSnapshots.length > 0,
    image: world.options.image === true || own.image !== undefined,
  };
}

/** What `sync` and `image` do to their instance, on one of this master's. */
function staging({ instance, volume }: OwnResources, master: string, uses: Uses): readonly Probe[] {
  const probes: Probe[] = [];
  const tags = ownTags(master);
  if (uses.sync && volume !== undefined)
    probes.push(probe('ModifyVolume', { VolumeId: volume.id, Size: volume.gib + 1 }));
  if (uses.sync && instance !== undefined) {
    probes.push(
      probe('CreateSnapshots', {
        InstanceSpecification: { InstanceId: instance, ExcludeBootVolume: true },
        TagSpecifications: [tagged('snapshot', tags)],
      }),
    );
  }
  if (uses.image && instance !== undefined) {
    probes.push(
      probe('CreateImage', {
        InstanceId: instance,
        Name: 'gbrowse-check',
        TagSpecifications: [tagged('image', tags), tagged('snapshot', tags)],
      }),
    );
  }
  return probes;
}

/** The id of the group that the configuration names; undefined when there is none, which another topic reports. */
async function givenGroup(world: World, { slave }: Config): Promise<string | undefined> {
  if (slave.securityGroup === undefined) return undefined;
  const [{ ec2 }, { vpc }] = await Promise.all([world.account(), world.site()]);
  return (await known(findGivenGroup(ec2, slave.securityGroup, vpc)))?.groupId;
}

/** What RunInstances takes from a launch template's data; without a group of our own, the default group of the VPC. */
function runFrom(
  data: RequestLaunchTemplateData,
  instanceType: string,
  subnetId: string,
  group: string | undefined,
): Omit<Request<'RunInstances'>, 'MinCount' | 'MaxCount'> {
  return {
    ImageId: data.ImageId,
    // New types appear faster than the SDK's list of them.
    InstanceType: instanceType as _InstanceType,
    BlockDeviceMappings: data.BlockDeviceMappings,
    SubnetId: subnetId,
    ...(group !== undefined && { SecurityGroupIds: [group] }),
    ...(data.KeyName !== undefined && { KeyName: data.KeyName }),
    TagSpecifications: data.TagSpecifications,
  };
}

function changing(own: OwnResources, port: number): readonly Probe[] {
  const { securityGroup, launchTemplate, instance, spotRequest, volume, snapshot, image } = own;
  const probes: Probe[] = [];
  if (securityGroup !== undefined) {
    const rule = { IpProtocol: 'tcp', FromPort: port, ToPort: port, IpRanges: [{ CidrIp: '192.0.2.1/32' }] };
    probes.push(
      probe('AuthorizeSecurityGroupIngress', { GroupId: securityGroup, IpPermissions: [rule] }),
      probe('RevokeSecurityGroupIngress', { GroupId: securityGroup, IpPermissions: [rule] }),
      probe('DeleteSecurityGroup', { GroupId: securityGroup }),
    );
  }
  if (launchTemplate !== undefined) {
    probes.push(
      probe('DeleteLaunchTemplate', { LaunchTemplateId: launchTemplate }),
      probe('CreateTags', { Resources: [launchTemplate], Tags: [aliveTag(0)] }),
    );
  }
  if (instance !== undefined) {
    probes.push(
      probe('TerminateInstances', { InstanceIds: [instance] }),
      probe('GetConsoleOutput', { InstanceId: instance }),
    );
  }
  if (spotRequest !== undefined) {
    probes.push(probe('CancelSpotInstanceRequests', { SpotInstanceRequestIds: [spotRequest] }));
  }
  if (volume !== undefined) probes.push(probe('DeleteVolume', { VolumeId: volume.id }));
  if (snapshot !== undefined) probes.push(probe('DeleteSnapshot', { SnapshotId: snapshot }));
  if (image !== undefined) {
    probes.push(
      probe('DeregisterImage', { ImageId: image }),
      probe('CreateTags', { Resources: [image], Tags: [aliveTag(0)] }),
    );
  }
  return probes;
}
