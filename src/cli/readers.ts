import path from 'node:path';
import { parseCount, parseNumber, quote } from '../config/values.ts';
import { usageError } from '../errors.ts';

/**
 * How the text of an option becomes its value.
 *
 * @throws {UserError} for a text that it cannot be
 */
export type Reader<T> = (text: string, option: string) => T;

/** One of a few words. */
export function oneOf<const Words extends readonly string[]>(...words: Words): Reader<Words[number]> {
  return (text, option) => {
    const word = words.find(it => it === text);
    return word ?? refuse(option, text, `one of ${words.join(', ')}`);
  };
}

/** How much is logged: 0 to 3. */
export function verbosityLevel(text: string, option: string): number {
  return /^[0-3]$/.test(text) ? Number(text) : refuse(option, text, 'one of 0, 1, 2, 3');
}

/** A number, of what `unit` says. */
export function numberBetween(least: number, most: number, unit = ''): Reader<number> {
  return (text, option) => {
    const number = parseNumber(text);
    if (number !== undefined && number >= least && number <= most) return number;
    return refuse(option, text, `a number ${unit}${unit === '' ? '' : ' '}from ${least} to ${most}`);
  };
}

/** A whole number, of what `unit` says. */
export function countBetween(least: number, most: number, unit = ''): Reader<number> {
  return (text, option) => {
    const number = parseCount(text, most);
    if (number !== undefined && number >= least) return number;
    return refuse(option, text, `a whole number ${unit}${unit === '' ? '' : ' '}from ${least} to ${most}`);
  };
}

/** Absolute, because a daemon's directory is `/`. A slash at the end stays: it says that a directory is meant. */
export function absolutePath(text: string): string {
  return text.endsWith('/') && text !== '/' ? `${path.resolve(text)}/` : path.resolve(text);
}

function refuse(option: string, text: string, expected: string): never {
  throw usageError(`--${option} is ${quote(text)}, expected ${expected}`);
}
