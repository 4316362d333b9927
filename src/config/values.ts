/** Reads the text of a value (trimmed; empty only for a default). Undefined when it does not have the expected form. */
export type Parse<T> = (text: string) => T | undefined;

/** A decimal number, as `0.5`, `.5`, `10` or `1e3`; not negative. */
export function parseNumber(text: string): number | undefined {
  if (!/^(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?$/i.test(text)) return undefined;
  const number = Number(text);
  return Number.isFinite(number) ? number : undefined;
}

/** A whole number written with digits alone, at most `max`. */
export function parseCount(text: string, max: number): number | undefined {
  return /^\d{1,9}$/.test(text) && Number(text) <= max ? Number(text) : undefined;
}

/** A number of `unit` (in ms) from `min` to `max`, in whole milliseconds. */
export function durationIn(unit: number, min: number, max: number): Parse<number> {
  return text => {
    const number = parseNumber(text);
    return number === undefined || number < min || number > max ? undefined : Math.round(number * unit);
  };
}

/** Words without repetitions, each read by `parseWord`. */
export function listOf<T>(parseWord: Parse<T>): Parse<readonly T[]> {
  return text => {
    const words = text.split(/\s+/).filter(word => word !== '');
    const values = new Set<T>();
    for (const word of words) {
      const value = parseWord(word);
      if (value === undefined) return undefined;
      values.add(value);
    }
    return values.size === words.length ? [...values] : undefined;
  };
}

/** One of these words, in any case. */
export function oneOf<const Word extends string>(words: readonly Word[]): Parse<Word> {
  return text => words.find(word => word === text.toLowerCase());
}

/** The text itself, if it has the form. */
export function matching(form: RegExp): Parse<string> {
  return text => (form.test(text) ? text : undefined);
}

/** An http or https URL; it may contain a user name and a password, which are never shown. */
export function parseUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  return /^https?:$/.test(new URL(text).protocol) ? text : undefined;
}

/** A regular expression. */
export function parsePattern(text: string): RegExp | undefined {
  try {
    return new RegExp(text);
  } catch {
    return undefined;
  }
}

/** A value for a message: in quotes, on one line, shortened if it is long, without the password of a URL. */
export function quote(text: string): string {
  const at = text.lastIndexOf('@');
  const safe = text.slice(0, Math.max(at, 0)).includes(':') ? `…${text.slice(at)}` : text;
  const short = safe.length > 60 ? `${safe.slice(0, 60)}…` : safe;
  return `"${short.replaceAll(/\p{C}/gu, '\uFFFD')}"`;
}
