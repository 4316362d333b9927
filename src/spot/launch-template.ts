import { createHash } from 'node:crypto';
import type { BlockDeviceMapping, RequestLaunchTemplateData } from '@aws-sdk/client-ec2';
import type { SlaveConfig } from '../config/config.ts';
import type { Ec2 } from '../ec2/api.ts';
import { isDuplicate, unlessGone } from '../ec2/errors.ts';
import type { Site } from '../master/site.ts';
import type { SlaveImage } from './image.ts';
import { DATA_TAG, dataTag, isBalancers, ownedBy, ownTags, PORTS_TAG, portsTag, tagged } from './tags.ts';
import { userData } from './user-data.ts';

/** Everything that a launch template is made from. */
export type TemplateSource = {
  readonly site: Site;
  readonly slave: SlaveConfig;
  readonly image: SlaveImage;
  readonly securityGroupId: string;
  readonly databases?: string;
  /** Whether it is for slaves on demand. */
  readonly onDemand?: boolean;
};

/** A slave's launch template: image, group, devices, user-data, key, tags from birth, end on shutdown. */
export function templateData(source: TemplateSource): RequestLaunchTemplateData {
  const { site, slave, image, databases } = source;
  const tags = [
    ...ownTags(site.name),
    { Key: PORTS_TAG, Value: portsTag(slave.ports) },
    ...(slave.dataSnapshots.length > 0 ? [{ Key: DATA_TAG, Value: dataTag(slave.dataSnapshots) }] : []),
  ];
  const groups = [source.securityGroupId];
  const script = userData({
    ports: slave.ports,
    orphanTimeout: slave.orphanTimeout,
    volumes: slave.dataSnapshots.length,
    ...(databases !== undefined && { databases }),
  });
  return {
    ImageId: image.imageId,
    ...(slave.sshKey !== undefined && { KeyName: slave.sshKey }),
    UserData: Buffer.from(script).toString('base64'),
    BlockDeviceMappings: blockDevices(image, slave.dataSnapshots),
    InstanceInitiatedShutdownBehavior: 'terminate',
    MetadataOptions: { HttpTokens: 'required', HttpEndpoint: 'enabled' },
    // Only an interface of its own can ask for a public address, whatever the subnet gives by itself.
    ...(site.reach === 'public'
      ? { NetworkInterfaces: [{ DeviceIndex: 0, AssociatePublicIpAddress: true, Groups: groups }] }
      : { SecurityGroupIds: groups }),
    TagSpecifications: [
      tagged('instance', tags),
      tagged('volume', tags),
      tagged('network-interface', tags),
      // EC2 launches nothing on demand from a template with tags for a spot request.
      ...(source.onDemand === true ? [] : [tagged('spot-instances-request', tags)]),
    ],
  };
}

/**
 * Every device of the image, and each data snapshot from /dev/sdg on; all of them end with the instance. The image
 * decides type, size and IOPS of its own devices. If the image has a volume in place of a data volume, that one is
 * replaced: the original's images have their own data there.
 */
export function blockDevices(image: SlaveImage, snapshots: readonly string[]): BlockDeviceMapping[] {
  const data = snapshots.map((SnapshotId, index) => ({
    DeviceName: `/dev/sd${String.fromCharCode('g'.charCodeAt(0) + index)}`,
    Ebs: { SnapshotId, DeleteOnTermination: true, VolumeType: 'gp3' as const },
  }));
  const own = image.devices
    .filter(device => data.every(it => it.DeviceName !== device))
    .map(DeviceName => ({ DeviceName, Ebs: { DeleteOnTermination: true } }));
  return [...own, ...data];
}

/**
 * The name of the template for this data. It holds the data's hash, so that a template of the same name has the same
 * data, and making it twice is a harmless error. (AWS: 3 to 128 characters of `[a-zA-Z0-9().-/_]`.)
 */
export function templateName(master: string, data: RequestLaunchTemplateData): string {
  const hash = createHash('sha256').update(master).update(JSON.stringify(data)).digest('hex').slice(0, 16);
  return `gbrowse-aws-balancer/${master.replaceAll(/[^a-zA-Z0-9().\-_]/g, '-').slice(0, 80)}/${hash}`;
}

/**
 * Makes sure that the templates exist, and that they are the only ones of this master.
 *
 * @returns their ids in the same order, and whether this master had one before
 * @throws {Ec2Error}
 */
export async function ensureLaunchTemplates(
  ec2: Ec2,
  master: string,
  templates: readonly RequestLaunchTemplateData[],
): Promise<{ readonly ids: readonly string[]; readonly found: boolean }> {
  const own = await findOwnTemplates(ec2, master);
  const ids: string[] = [];
  let found = own.length > 0;
  for (const data of templates) {
    const name = templateName(master, data);
    const known = own.find(it => it.name === name);
    const template =
      known === undefined ? await createTemplate(ec2, master, name, data) : { id: known.id, found: true };
    ids.push(template.id);
    found ||= template.found;
  }
  for (const old of own) if (!ids.includes(old.id)) await deleteTemplate(ec2, old.id);
  return { ids, found };
}

async function createTemplate(
  ec2: Ec2,
  master: string,
  name: string,
  data: RequestLaunchTemplateData,
): Promise<{ readonly id: string; readonly found: boolean }> {
  try {
    const { LaunchTemplate } = await ec2('CreateLaunchTemplate', {
      LaunchTemplateName: name,
      LaunchTemplateData: data,
      TagSpecifications: [tagged('launch-template', ownTags(master))],
    });
    return { id: LaunchTemplate?.LaunchTemplateId ?? '', found: false };
  } catch (error) {
    if (!isDuplicate(error)) throw error;
    // Made by a call whose answer was lost, and not shown by its tag yet.
    const answer = await ec2('DescribeLaunchTemplates', { LaunchTemplateNames: [name] });
    return { id: answer.LaunchTemplates?.[0]?.LaunchTemplateId ?? '', found: true };
  }
}

/** The launch templates of this master's balancer. */
export async function findOwnTemplates(
  ec2: Ec2,
  master: string,
): Promise<readonly { readonly id: string; readonly name: string }[]> {
  const answer = await ec2('DescribeLaunchTemplates', { Filters: [ownedBy(master)] });
  return (answer.LaunchTemplates ?? [])
    .filter(isBalancers)
    .flatMap(template =>
      template.LaunchTemplateId === undefined
        ? []
        : [{ id: template.LaunchTemplateId, name: template.LaunchTemplateName ?? '' }],
    );
}

/** Deletes a template; one that is gone already is no error. */
export async function deleteTemplate(ec2: Ec2, id: string): Promise<void> {
  await unlessGone(ec2('DeleteLaunchTemplate', { LaunchTemplateId: id }));
}
