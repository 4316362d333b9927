import { Ec2Error, FOREIGN_ANSWER } from './errors.ts';

/** No list that we read has so many pages; an answer that always names a next page does not come from EC2. */
const MOST_PAGES = 100;

type Page = { readonly NextToken?: string | undefined };

/**
 * All items of a list, page after page. (A page may come back short of its size, with a token for the next.)
 *
 * @throws {Ec2Error} FOREIGN_ANSWER when the pages do not come to an end
 */
export async function allPages<P extends Page, Item>(
  action: string,
  describe: (token: { readonly NextToken?: string }) => Promise<P>,
  itemsOf: (page: P) => readonly Item[] | undefined,
): Promise<Item[]> {
  const items: Item[] = [];
  let token: string | undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const answer = await describe(token === undefined ? {} : { NextToken: token });
    for (const item of itemsOf(answer) ?? []) items.push(item);
    if (!answer.NextToken) return items;
    if (answer.NextToken === token) break;
    token = answer.NextToken;
  }
  throw new Ec2Error(action, FOREIGN_ANSWER, 'the answer has no last page');
}
