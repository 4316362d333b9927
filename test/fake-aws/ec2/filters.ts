import type { Filter } from '@aws-sdk/client-ec2';
import { notServed, Refusal } from './refusal.ts';
import type { Tags } from './tags.ts';

/** The filters that an action serves, each with the values of a resource that it looks at. */
export type Fields<T> = Readonly<Record<string, (it: T) => string | readonly string[] | undefined>>;

/**
 * Whether a resource passes: every filter must, and for each filter any of its values (`*` and `?` are wildcards, case
 * matters). `tag:KEY` and `tag-key` are served for everything.
 *
 * @throws for a filter that is not among `fields`
 */
export function passes<T extends { readonly tags: Tags }>(
  action: string,
  filters: readonly Filter[] | undefined,
  fields: Fields<T>,
): (it: T) => boolean {
  const tests = (filters ?? []).map(({ Name = '', Values = [] }) => {
    const valuesOf = fieldOf(action, Name, fields);
    if (Values.length === 0) throw notServed(`${action}: the filter ${Name} without values`);
    if (Values.length > 200) {
      throw new Refusal(
        'FilterLimitExceeded',
        'The maximum number of filter values specified on a single call is 200',
      );
    }
    const matches = Values.map(matcher);
    return (it: T) => {
      const value = valuesOf(it);
      const values = typeof value === 'string' ? [value] : (value ?? []);
      return values.some(one => matches.some(match => match(one)));
    };
  });
  return it => tests.every(test => test(it));
}

function fieldOf<T extends { readonly tags: Tags }>(
  action: string,
  name: string,
  fields: Fields<T>,
): Fields<T>[string] {
  if (name.startsWith('tag:')) {
    const key = name.slice('tag:'.length);
    return it => it.tags.get(key);
  }
  if (name === 'tag-key') return it => [...it.tags.keys()];
  const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (field === undefined) throw notServed(`${action}: the filter "${name}"`);
  return field;
}

function matcher(pattern: string): (value: string) => boolean {
  if (!/[*?\\]/.test(pattern)) return value => value === pattern;
  const source = pattern.replaceAll(/\\[*?\\]|[\s\S]/g, part => {
    if (part === '*') return '[\\s\\S]*';
    if (part === '?') return '[\\s\\S]';
    return (part.length === 2 ? part.slice(1) : part).replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&');
  });
  const expression = new RegExp(`^${source}$`);
  return value => expression.test(value);
}
