import type { Config } from '../config/config.ts';
import { usageError } from '../errors.ts';
import type { MasterMetadata } from './metadata.ts';

/** Where the master runs: from its own metadata on EC2, from the configuration file elsewhere. */
export type Site = {
  /** The value of the ownership tag: two masters in one account never touch each other's slaves. */
  readonly name: string;
  /** Unset: the SDK's own chain (`AWS_REGION`, the profile) decides. */
  readonly region?: string;
  /** How slaves are reached: by their private addresses from inside EC2, by their public ones from elsewhere. */
  readonly reach: 'private' | 'public';
  /** The slaves' image: an AMI's id, or a name or part of one; blank only where none is needed. */
  readonly image: string;
  /** The AMI that the master itself was started from, on EC2: what slaves get if no image has the name. */
  readonly ownImage?: string;
  /** The master's address as slaves see it, when it is known without asking anybody. */
  readonly address?: string;
  readonly subnet?: string;
  readonly vpc?: string;
  readonly availabilityZone?: string;
};

/** What a command needs of a site: `image` and what has nothing to do with launches work before there is an image. */
export type Needs = { readonly image: boolean };

/** The value of the ownership tag: what the file says, else the EC2 instance, else the host. */
export function masterNameOf(
  { master }: Config,
  metadata: Pick<MasterMetadata, 'instanceId'> | undefined,
  hostName: string,
): string {
  return master.name ?? metadata?.instanceId ?? hostName;
}

/** Whether many machines have a host name. */
export function isCommonName(name: string): boolean {
  return /^(localhost|debian|ubuntu|vm|server|gbrowse)(\.|$)/i.test(name);
}

/**
 * An image of a master would start a second balancer under the master's name on each slave that is made from it.
 *
 * @throws {UserError} where this machine is itself a slave
 */
export function assertNoSlave(metadata: MasterMetadata | undefined): void {
  if (metadata?.isSlave !== true) return;
  throw usageError(
    `this machine (${metadata.instanceId}) is itself a slave of a balancer, made from the image of a master, and never runs a balancer; run this on the master`,
  );
}

/**
 * The manual, "[SLAVE]": on EC2 region, zone and subnet are the master's own, and slaves talk to its private address;
 * the image is the master's own unless the file names another; elsewhere `region` and `image_id` are required. A zone
 * or subnet in the file is obeyed in both places.
 *
 * @throws {UserError} when the file lacks what a master outside EC2 needs, or this machine is itself a slave
 */
export function siteOf(
  config: Config,
  metadata: MasterMetadata | undefined,
  hostName: string,
  needs: Needs = { image: true },
): Site {
  const { master, slave } = config;
  const name = masterNameOf(config, metadata, hostName);
  if (metadata !== undefined) {
    assertNoSlave(metadata);
    const elsewhere =
      slave.subnet !== undefined ||
      (slave.availabilityZone !== undefined && slave.availabilityZone !== metadata.availabilityZone);
    return {
      name,
      region: metadata.region,
      reach: 'private',
      image: slave.imageId ?? metadata.imageId,
      ownImage: metadata.imageId,
      address: metadata.privateAddress,
      vpc: metadata.vpcId,
      ...(slave.subnet !== undefined && { subnet: slave.subnet }),
      ...(slave.availabilityZone !== undefined && { availabilityZone: slave.availabilityZone }),
      ...(!elsewhere && { subnet: metadata.subnetId, availabilityZone: metadata.availabilityZone }),
    };
  }
  if (slave.imageId === undefined && needs.image) {
    throw usageError(
      `${config.file}: [SLAVE] image_id is not set, expected the id or name of the slaves' AMI: this machine is not an EC2 instance whose own image could be used; "gbrowse-aws-balancer image" makes one`,
    );
  }
  return {
    name,
    reach: 'public',
    image: slave.imageId ?? '',
    ...(slave.region !== undefined && { region: slave.region }),
    ...(master.externalIp !== undefined && { address: master.externalIp }),
    ...(slave.subnet !== undefined && { subnet: slave.subnet }),
    ...(slave.availabilityZone !== undefined && { availabilityZone: slave.availabilityZone }),
  };
}
