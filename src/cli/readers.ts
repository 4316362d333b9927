import path from 'node:path';
import { parseCount, parseNumber, quote } from '../config/values.ts';
import { usageError } from '../errors.ts';
import { duration } from '../format/durations.ts';

/**
 * Turn the text of an option into its value.
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

/** A month such as `2026-11`. */
export function month(text: string, option: string): string {
  return /^20\d\d-(0[1-9]|1[0-2])$/.test(text) ? text : refuse(option, text, 'a month such as 2026-11');
}

/** A number; `unit` says of what. */
export function numberBetween(least: number, most: number, unit = ''): Reader<number> {
  return (text, option) => {
    const number = parseNumber(text);
    if (number !== undefined && number >= least && number <= most) return number;
    return refuse(option, text, `a number ${unit}${unit === '' ? '' : ' '}from ${least} to ${most}`);
  };
}

/** A whole number; `unit` says of what. */
export function countBetween(least: number, most: number, unit = ''): Reader<number> {
  return (text, option) => {
    const number = parseCount(text, most);
    if (number !== undefined && number >= least) return number;
    return refuse(option, text, `a whole number ${unit}${unit === '' ? '' : ' '}from ${least} to ${most}`);
  };
}

const UNITS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** A span of time (ms) such as `90m`, `2h`, `1h30m` or `7d`, from `least` to `most` ms. */
export function timeBetween(least: number, most: number): Reader<number> {
  return (text, option) => {
    const parts = [...text.matchAll(/(\d{1,6}(?:\.\d{1,3})?)([smhd])/g)];
    const isWhole = parts.length > 0 && parts.map(([part]) => part).join('') === text;
    const unit = (letter = ''): number => Object.entries(UNITS).find(([name]) => name === letter)?.[1] ?? 0;
    const ms = parts.reduce((sum, [, count, letter]) => sum + Number(count) * unit(letter) * 1000, 0);
    if (isWhole && ms >= least && ms <= most) return ms;
    return refuse(option, text, `a time such as 90m, 2h or 7d, from ${duration(least)} to ${duration(most)}`);
  };
}

/** The ARN of a KMS key; an alias cannot stand in a policy. */
export function keyArn(text: string, option: string): string {
  return /^arn:aws[\w-]*:kms:[a-z\d-]+:\d{12}:key\/[\w-]+$/.test(text)
    ? text
    : refuse(option, text, 'the ARN of a key (arn:aws:kms:REGION:ACCOUNT:key/ID), not an alias');
}

/** The id of an AMI, or `present`. */
export function amiOrPresent(text: string, option: string): string {
  return /^(ami-[0-9a-f]+|present)$/.test(text)
    ? text
    : refuse(option, text, 'the id of an AMI (ami-...), or present');
}

/** Absolute, because a daemon's directory is `/`. A slash at the end stays: it says that a directory is meant. */
export function absolutePath(text: string): string {
  return text.endsWith('/') && text !== '/' ? `${path.resolve(text)}/` : path.resolve(text);
}

function refuse(option: string, text: string, expected: string): never {
  throw usageError(`--${option} is ${quote(text)}, expected ${expected}`);
}
