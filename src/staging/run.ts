import type { Filter, Tag } from '@aws-sdk/client-ec2';
import { MASTER_TAG, ownedBy, SYNC_TAG } from '../spot/tags.ts';

/**
 * One run of a command that works with a temporary instance: its master, and its id, which everything that it makes has
 * in a tag.
 */
export type Run = { readonly master: string; readonly id: string };

/** The tags of everything that one run makes, from the call that makes it. */
export function runTags({ master, id }: Run, name: string): Tag[] {
  return [
    { Key: 'Name', Value: name.slice(0, 255) },
    { Key: 'Requestor', Value: 'GBrowse AWS Balancer' },
    { Key: MASTER_TAG, Value: master },
    { Key: SYNC_TAG, Value: id },
  ];
}

/** The filters that find what one run has made. */
export function ofRun({ master, id }: Run): Filter[] {
  return [ownedBy(master), { Name: `tag:${SYNC_TAG}`, Values: [id] }];
}

/** The filters that find what any run of this master has made. */
export function ofAnyRun(master: string): Filter[] {
  return [ownedBy(master), { Name: 'tag-key', Values: [SYNC_TAG] }];
}
