import type { Filter, Tag, TagSpecification } from '@aws-sdk/client-ec2';

/** The ownership tag: what does not carry it with this master's name is never touched. */
export const MASTER_TAG = 'gbrowse-aws-balancer:master';
/** Since when (ISO time) a slave has been out of the farm, waiting for the renders that it still does. */
export const DRAINING_TAG = 'gbrowse-aws-balancer:draining';
/** The ports that a slave listens on: they stay its own when the configuration changes. */
export const PORTS_TAG = 'gbrowse-aws-balancer:ports';
/** The data snapshots that a slave was made from. */
export const DATA_TAG = 'gbrowse-aws-balancer:data';
/** The ClientToken of the launch that a slave came from: a lost answer is recognised by it. */
export const LAUNCH_TAG = 'gbrowse-aws-balancer:launch';

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

/** The filter that finds only what is this master's. */
export function ownedBy(master: string): Filter {
  return { Name: `tag:${MASTER_TAG}`, Values: [master] };
}

/** The value of a tag; undefined when it is not there. */
export function tagValue(tags: readonly Tag[] | undefined, key: string): string | undefined {
  return tags?.find(tag => tag.Key === key)?.Value;
}
