import type { Filter, Tag } from '@aws-sdk/client-ec2';
import { MASTER_TAG, ownedBy, SYNC_TAG } from '../spot/tags.ts';

/** The tags of everything that one run of sync makes, from the call that makes it. */
export function runTags(master: string, run: string, name: string): Tag[] {
  return [
    { Key: 'Name', Value: name.slice(0, 255) },
    { Key: 'Requestor', Value: 'GBrowse AWS Balancer' },
    { Key: MASTER_TAG, Value: master },
    { Key: SYNC_TAG, Value: run },
  ];
}

/** The filters that find what one run of sync has made. */
export function ofRun(master: string, run: string): Filter[] {
  return [ownedBy(master), { Name: `tag:${SYNC_TAG}`, Values: [run] }];
}

/** The filters that find what any run of this master's sync has made. */
export function ofAnyRun(master: string): Filter[] {
  return [ownedBy(master), { Name: 'tag-key', Values: [SYNC_TAG] }];
}
