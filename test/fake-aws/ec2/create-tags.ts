import type { CreateTagsRequest } from '@aws-sdk/client-ec2';
import type { Account, Resource } from './account.ts';
import { findInstances } from './instances.ts';
import { findTemplate } from './launch-templates.ts';
import { Refusal } from './refusal.ts';
import { findGroup } from './security-groups.ts';
import { readTags, withTags } from './tags.ts';
import { volumesOf } from './volumes.ts';

/** Tags resources of any kind, all of them or none. */
export function createTags(account: Account, request: CreateTagsRequest): unknown {
  const tags = readTags(request.Tags);
  const resources = (request.Resources ?? []).map(id => findResource(account, id));
  if (resources.length === 0)
    throw new Refusal('MissingParameter', 'The request must contain the parameter resourceIdSet');
  const tagged = resources.map(resource => ({
    resource,
    history: withTags(resource.tags, account.now(), tags),
  }));
  for (const { resource, history } of tagged) resource.tags = history;
  return {};
}

function findResource(account: Account, id: string): Resource {
  if (id.startsWith('i-')) {
    for (const instance of findInstances(account, [id])) return instance;
  }
  if (id.startsWith('sg-')) return findGroup(account, id);
  if (id.startsWith('lt-')) return findTemplate(account, id);
  for (const instance of account.instances.values()) {
    if (instance.spotRequest?.id === id) return instance.spotRequest;
  }
  const others = [...volumesOf(account), ...account.snapshots.values(), ...account.keyPairs.values()];
  const other = others.find(it => it.id === id);
  if (other !== undefined) return other;
  throw new Refusal('InvalidID', `The ID '${id}' is not valid`);
}
