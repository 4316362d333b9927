/**
 * What a JSON value has to be: a word for a plain one (with `?` it may be null), `[SHAPE]` for a list, `[SHAPE, null]` for
 * something that may be missing, an object for an object (which may have more than it names).
 */
export type Shape =
  | Plain
  | `${Plain}?`
  | readonly [Shape]
  | readonly [Shape, null]
  | { readonly [name: string]: Shape };

/** `time` is ISO 8601 in UTC, with milliseconds. */
type Plain = 'text' | 'number' | 'flag' | 'time';

/** The type of the values that have a shape. */
export type Of<S> = S extends `${infer P}?`
  ? Of<P> | null
  : S extends 'text' | 'time'
    ? string
    : S extends 'number'
      ? number
      : S extends 'flag'
        ? boolean
        : S extends readonly [infer T, null]
          ? Of<T> | null
          : S extends readonly [infer T]
            ? readonly Of<T>[]
            : S extends object
              ? { readonly [K in keyof S]: Of<S[K]> }
              : never;

/**
 * Where a value does not have its shape.
 *
 * @returns `slaves[2].ageSeconds`, or undefined when all is right
 */
export function misfit(shape: Shape, value: unknown, path = ''): string | undefined {
  const here = path === '' ? 'the whole' : path;
  if (typeof shape === 'string') return isPlain(shape, value) ? undefined : here;
  if (isList(shape)) {
    if (shape.length === 2) return value === null ? undefined : misfit(shape[0], value, path);
    if (!Array.isArray(value)) return here;
    return firstOf(value.map((item, index) => () => misfit(shape[0], item, `${path}[${index}]`)));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return here;
  const fields = new Map<string, unknown>(Object.entries(value));
  return firstOf(
    Object.entries(shape).map(
      ([name, field]) =>
        () =>
          misfit(field, fields.get(name), path === '' ? name : `${path}.${name}`),
    ),
  );
}

/** Whether it is the shape of a list, or of something that may be missing. */
export function isList(shape: Shape): shape is readonly [Shape] | readonly [Shape, null] {
  return Array.isArray(shape);
}

function firstOf(candidates: readonly (() => string | undefined)[]): string | undefined {
  for (const candidate of candidates) {
    const found = candidate();
    if (found !== undefined) return found;
  }
  return undefined;
}

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

function isPlain(shape: Plain | `${Plain}?`, value: unknown): boolean {
  switch (shape) {
    case 'text':
      return typeof value === 'string';
    case 'time':
      return typeof value === 'string' && ISO_TIME.test(value) && !Number.isNaN(Date.parse(value));
    case 'number':
      return typeof value === 'number' && Number.isFinite(value);
    case 'flag':
      return typeof value === 'boolean';
    case 'text?':
    case 'time?':
    case 'number?':
    case 'flag?':
      return value === null || isPlain(shape.slice(0, -1) as Plain, value);
  }
}
