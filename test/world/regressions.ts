import { readFileSync } from 'node:fs';
import type { History } from './history.ts';

/**
 * Histories, as short as they could be made, that once violated an invariant; `what` completes "where once …". A new one
 * is a line of the file beside this one.
 */
export const REGRESSIONS: readonly { readonly what: string; readonly history: History }[] = readFileSync(
  new URL('regressions.jsonl', import.meta.url),
  'utf8',
)
  .split('\n')
  .filter(line => line !== '')
  .map(line => JSON.parse(line));
