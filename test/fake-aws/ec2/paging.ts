import { Refusal } from './refusal.ts';

/** Resources have a place in the order in which they were made. */
export type Placed = { readonly sequence: number };

/**
 * One page of a Describe action. A token names the last resource that was shown, so what comes and goes between two
 * pages neither doubles nor hides another.
 *
 * @param items in their order
 * @param limits of MaxResults; EC2's are 5 to 1000 for most actions
 */
export function pageOf<T extends Placed>(
  items: readonly T[],
  request: { readonly MaxResults?: number | undefined; readonly NextToken?: string | undefined },
  limits: { readonly from: number; readonly to: number } = { from: 5, to: 1000 },
): { readonly items: readonly T[]; readonly next: { NextToken?: string } } {
  const { MaxResults, NextToken } = request;
  if (MaxResults !== undefined && !(MaxResults >= limits.from && MaxResults <= limits.to)) {
    throw new Refusal(
      'InvalidParameterValue',
      `Value ( ${MaxResults} ) for parameter maxResults is invalid. Expecting a value between ${limits.from} and ${limits.to}.`,
    );
  }
  const after = NextToken === undefined ? -1 : readToken(NextToken);
  const rest = items.filter(it => it.sequence > after);
  const page = rest.slice(0, MaxResults ?? limits.to);
  const last = page.at(-1);
  return {
    items: page,
    next: last !== undefined && page.length < rest.length ? { NextToken: writeToken(last.sequence) } : {},
  };
}

function writeToken(sequence: number): string {
  return Buffer.from(`after ${sequence}`).toString('base64url');
}

function readToken(token: string): number {
  const text = /^after (\d+)$/.exec(Buffer.from(token, 'base64url').toString())?.[1];
  if (text === undefined) throw new Refusal('InvalidPaginationToken', `The token '${token}' is invalid`);
  return Number(text);
}
