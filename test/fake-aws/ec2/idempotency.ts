import { HOUR } from '../../../src/clock.ts';
import { Refusal } from './refusal.ts';

/** EC2 remembers a ClientToken for at least a day. */
const REMEMBERED = 24 * HOUR;

/** The answers that were given to requests with a ClientToken. */
export type Tokens = Map<
  string,
  { readonly at: number; readonly parameters: string; readonly answer: unknown }
>;

/**
 * Does the work once for each token: the same request gets the same answer, the same token with other parameters is
 * IdempotentParameterMismatch, and what was refused is not remembered.
 */
export function once<T>(
  tokens: Tokens,
  now: number,
  action: string,
  request: { readonly ClientToken?: string | undefined },
  work: () => T,
): T {
  const { ClientToken, ...rest } = request;
  if (ClientToken === undefined) return work();
  if (ClientToken.length > 128)
    throw new Refusal('InvalidParameterValue', 'ClientToken has at most 128 characters');
  for (const [key, { at }] of tokens) {
    if (at + REMEMBERED >= now) break;
    tokens.delete(key);
  }
  const key = `${action} ${ClientToken}`;
  const parameters = JSON.stringify(rest, sortKeys);
  const known = tokens.get(key);
  if (known === undefined) {
    const answer = work();
    tokens.set(key, { at: now, parameters, answer });
    return answer;
  }
  if (known.parameters !== parameters) {
    throw new Refusal(
      'IdempotentParameterMismatch',
      'Arguments on this idempotent request are inconsistent with arguments used in previous request(s).',
    );
  }
  // The action is part of the key, so what is there is an answer of its kind.
  return known.answer as T;
}

/** The same parameters in another order are the same request. */
function sortKeys(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
