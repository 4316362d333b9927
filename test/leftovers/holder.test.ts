import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOUR, MINUTE } from '../../src/clock.ts';
import { holderOf } from '../../src/leftovers/holder.ts';
import type { Resource } from '../../src/leftovers/resource.ts';

const NOW = Date.parse('2026-01-02T03:04:05Z');
const HERE = { master: 'web1', host: 'here', now: NOW };

type Case = {
  readonly what: string;
  readonly master: 'web1' | 'web2';
  readonly sync?: string;
  readonly age: number;
  readonly sign?: { readonly age: number; readonly host: string };
  readonly locked?: boolean;
  readonly held?: RegExp;
};

const CASES: readonly Case[] = [
  { what: 'own, no lock', master: 'web1', age: MINUTE },
  {
    what: 'own, locked',
    master: 'web1',
    age: MINUTE,
    locked: true,
    held: /^a balancer is running on this machine$/,
  },
  {
    what: 'own sync, locked',
    master: 'web1',
    sync: '1',
    age: MINUTE,
    locked: true,
    held: /^sync or image is running on this machine$/,
  },
  {
    what: 'own, killed a minute after its sign',
    master: 'web1',
    age: HOUR,
    sign: { age: MINUTE, host: 'here' },
  },
  {
    what: 'own name, but the sign is of another host',
    master: 'web1',
    age: HOUR,
    sign: { age: 12 * MINUTE, host: 'there' },
    held: /^a balancer on there was active 12 min ago$/,
  },
  { what: 'the same, hours ago', master: 'web1', age: 9 * HOUR, sign: { age: 2 * HOUR, host: 'there' } },
  { what: 'own name, a sign without a host', master: 'web1', age: HOUR, sign: { age: MINUTE, host: '' } },
  {
    what: 'another’s, with a sign',
    master: 'web2',
    age: 9 * HOUR,
    sign: { age: 59 * MINUTE, host: 'there' },
    held: /^a balancer on there was active 59 min ago$/,
  },
  {
    what: 'another’s, from a machine of the same name',
    master: 'web2',
    age: 9 * HOUR,
    sign: { age: MINUTE, host: 'here' },
    held: /^a balancer on another machine was active 60 s ago$/,
  },
  {
    what: 'another’s sync, with a sign',
    master: 'web2',
    sync: '1',
    age: 9 * HOUR,
    sign: { age: 0, host: '' },
    held: /^sync or image on another machine was active 0 s ago$/,
  },
  {
    what: 'another’s, with a sign from a clock that is ahead',
    master: 'web2',
    age: 9 * HOUR,
    sign: { age: -MINUTE, host: 'there' },
    held: /was active 0 s ago$/,
  },
  { what: 'another’s, with an old sign', master: 'web2', age: 9 * HOUR, sign: { age: HOUR, host: 'there' } },
  {
    what: 'another’s, just made',
    master: 'web2',
    age: 59 * MINUTE,
    held: /^created 59 min ago, so a balancer may be running on another machine$/,
  },
  { what: 'another’s, old', master: 'web2', age: HOUR },
  {
    what: 'another’s on this machine, locked',
    master: 'web2',
    age: 9 * HOUR,
    locked: true,
    held: /on this machine$/,
  },
];

describe('who holds what', () => {
  for (const { what, master, sync, age, sign, locked = false, held } of CASES) {
    it(`${what}: ${held === undefined ? 'nobody' : 'somebody'}`, () => {
      const base = { master, what: '', ...(sync !== undefined && { sync }) };
      const resources: Resource[] = [
        { ...base, kind: 'instance', id: 'i-1', bornAt: NOW - 10 * HOUR },
        {
          ...base,
          kind: 'launch template',
          id: 'lt-1',
          bornAt: NOW - age,
          ...(sign !== undefined && { alive: { at: NOW - sign.age, host: sign.host } }),
        },
        { ...base, kind: 'security group', id: 'sg-1' },
      ];
      const why = holderOf(resources, locked ? 'held' : 'free', HERE);
      if (held === undefined) assert.equal(why, undefined);
      else assert.match(why ?? 'nobody', held);
    });
  }
});
