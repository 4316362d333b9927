import type { Tag, TagSpecification } from '@aws-sdk/client-ec2';
import { Refusal } from './refusal.ts';

export type Tags = ReadonlyMap<string, string>;

/** What a resource's tags have been, oldest first, each from a moment (ms) on. The first are those of its birth. */
export type TagHistory = readonly { readonly since: number; readonly tags: Tags }[];

const NO_TAGS: Tags = new Map();

/** How many versions a history keeps; what the Describe actions show is never further behind. */
const VERSIONS = 16;

/** The tags of a resource at a moment; before its birth those of its birth. */
export function tagsAt(history: TagHistory, moment: number): Tags {
  const version = history.findLast(it => it.since <= moment) ?? history[0];
  return version?.tags ?? NO_TAGS;
}

export function tagsAtBirth(history: TagHistory): Tags {
  return history[0]?.tags ?? NO_TAGS;
}

/** The history after CreateTags: keys that are there already get the new value. */
export function withTags(history: TagHistory, moment: number, tags: Tags): TagHistory {
  const now = new Map([...tagsAt(history, moment), ...tags]);
  if (now.size > 50) throw new Refusal('TagLimitExceeded', 'More than 50 tags specified');
  const [birth, ...later] = history;
  const kept = later.slice(-VERSIONS);
  return [...(birth === undefined ? [] : [birth]), ...kept, { since: moment, tags: now }];
}

/** Tags of a request, checked as EC2 checks them. */
export function readTags(tags: readonly Tag[] | undefined): Tags {
  const read = new Map<string, string>();
  for (const { Key, Value = '' } of tags ?? []) {
    if (Key === undefined || Key === '')
      throw new Refusal('InvalidParameterValue', 'Tag key cannot be empty');
    if (Key.toLowerCase().startsWith('aws:')) {
      throw new Refusal(
        'InvalidParameterValue',
        `Tag keys starting with 'aws:' are reserved for internal use: ${Key}`,
      );
    }
    if (Key.length > 128 || Value.length > 256) {
      throw new Refusal(
        'InvalidParameterValue',
        `Tag "${Key}": a key has at most 128 characters, a value 256`,
      );
    }
    if (read.has(Key)) throw new Refusal('InvalidParameterValue', `Duplicate tag key '${Key}' specified.`);
    read.set(Key, Value);
  }
  if (read.size > 50) throw new Refusal('TagLimitExceeded', 'More than 50 tags specified');
  return read;
}

/** The tags that a request asks for at birth, by kind of resource. */
export function readTagSpecifications(
  specifications: readonly TagSpecification[] | undefined,
  allowed: readonly NonNullable<TagSpecification['ResourceType']>[],
): ReadonlyMap<string, Tags> {
  const byType = new Map<string, Tags>();
  for (const { ResourceType, Tags: tags } of specifications ?? []) {
    if (ResourceType === undefined || !allowed.includes(ResourceType)) {
      throw new Refusal(
        'InvalidParameterValue',
        `'${ResourceType}' is not a valid taggable resource type for this operation.`,
      );
    }
    if (byType.has(ResourceType)) {
      throw new Refusal(
        'InvalidParameterValue',
        `Duplicate resource type in tag specification: ${ResourceType}`,
      );
    }
    byType.set(ResourceType, readTags(tags));
  }
  return byType;
}

/** Tags as an answer has them. */
export function toSdkTags(tags: Tags): Tag[] {
  const list: Tag[] = [];
  for (const [Key, Value] of tags) list.push({ Key, Value });
  return list;
}
