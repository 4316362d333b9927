import type { DescribeKeyPairsRequest, DescribeKeyPairsResult } from '@aws-sdk/client-ec2';
import type { Account, KeyPair } from './account.ts';
import { type Fields, passes } from './filters.ts';
import { Refusal } from './refusal.ts';
import { type Tags, tagsAt, toSdkTags } from './tags.ts';

type Seen = { readonly keyPair: KeyPair; readonly tags: Tags };

const FIELDS: Fields<Seen> = {
  'key-name': it => it.keyPair.name,
  'key-pair-id': it => it.keyPair.id,
};

/** @returns its id */
export function addKeyPair(account: Account, name: string, tags: Tags): string {
  const keyPair = { ...account.newResource('key', tags), name };
  account.keyPairs.set(name, keyPair);
  return keyPair.id;
}

/** A key pair that is asked for by name or id is there at once; by filters it is shown after its lag. */
export function describeKeyPairs(account: Account, request: DescribeKeyPairsRequest): DescribeKeyPairsResult {
  const { KeyNames, KeyPairIds } = request;
  const asked = [
    ...(KeyNames ?? []).map(name => findKeyPair(account, it => it.name === name, name)),
    ...(KeyPairIds ?? []).map(id => findKeyPair(account, it => it.id === id, id)),
  ];
  const isAsked = KeyNames !== undefined || KeyPairIds !== undefined;
  const now = account.now();
  const shown = isAsked ? asked : [...account.keyPairs.values()].filter(it => now >= it.bornAt + it.lag);
  const matches = passes('DescribeKeyPairs', request.Filters, FIELDS);
  return {
    KeyPairs: shown
      .map(keyPair => ({ keyPair, tags: tagsAt(keyPair.tags, now - keyPair.lag) }))
      .filter(matches)
      .map(({ keyPair, tags }) => ({
        KeyPairId: keyPair.id,
        KeyName: keyPair.name,
        KeyType: 'ed25519',
        CreateTime: new Date(keyPair.bornAt),
        Tags: toSdkTags(tags),
      })),
  };
}

function findKeyPair(account: Account, test: (it: KeyPair) => boolean, what: string): KeyPair {
  const keyPair = [...account.keyPairs.values()].find(test);
  if (keyPair === undefined)
    throw new Refusal('InvalidKeyPair.NotFound', `The key pair '${what}' does not exist`);
  return keyPair;
}
