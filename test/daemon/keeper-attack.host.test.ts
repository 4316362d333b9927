import { test } from 'node:test';
import { attackKeeper } from './fixtures/keeper-attack.ts';
import { asRoot } from './fixtures/run.ts';

test(
  'whatever a balancer that somebody has taken over sends, root’s part writes slaves to the farm file and nothing else',
  asRoot,
  async t => await attackKeeper(t, 10_000, 20_261_125),
);
