import { usageError } from '../errors.ts';

/** Variables for `/etc/default/gbrowse-aws-balancer`; those of `exported` are for the environment of the balancer. */
export type ServiceValues = {
  readonly plain?: Readonly<Record<string, string>>;
  readonly exported?: Readonly<Record<string, string>>;
};

/**
 * The text of the service's settings, in the syntax of sh, with other values. An existing line of a variable is changed
 * in its place, a commented one is uncommented, and a new one is added at the end; every other byte stays.
 *
 * @throws {UserError} for a value that needs quotes which the program's own reader of the file does not understand
 */
export function withServiceValues(text: string, { plain = {}, exported = {} }: ServiceValues): string {
  const withPlain = Object.entries(plain).reduce((all, [name, value]) => set(all, '', name, value), text);
  return Object.entries(exported).reduce((all, [name, value]) => set(all, 'export ', name, value), withPlain);
}

function set(text: string, keyword: string, name: string, value: string): string {
  const line = `${keyword}${name}=${quoted(name, value)}`;
  const present = [...text.matchAll(new RegExp(`^[ \\t]*(?:export[ \\t]+)?${name}=.*$`, 'gm'))].at(-1);
  const prepared = [...text.matchAll(new RegExp(`^#[ \\t]*(?:export[ \\t]+)?${name}=.*$`, 'gm'))].at(-1);
  const found = present ?? prepared;
  if (found === undefined) return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${line}\n`;
  return text.slice(0, found.index) + line + text.slice(found.index + found[0].length);
}

/** Quoted if sh would read the value differently. The value is not shown: it may be a secret. */
function quoted(name: string, value: string): string {
  if (/^[\w./:@%+=,-]*$/.test(value)) return value;
  if (/^[^'\p{Cc}]+$/u.test(value)) return `'${value}'`;
  throw usageError(
    `${name} contains a character that the settings of the service cannot hold (' or a control character)`,
  );
}
