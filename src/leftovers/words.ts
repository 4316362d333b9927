import { HOUR, MINUTE, SECOND } from '../clock.ts';

/** A span of time (ms) for people: `12 minutes`, `3 hours`. */
export function duration(ms: number): string {
  const [count, unit] = largestUnit(ms);
  return counted(count, unit);
}

/** The same for a table: `12 min`, `3 h`. */
export function shortDuration(ms: number): string {
  const [count, unit] = largestUnit(ms);
  return `${count} ${SHORT[unit]}`;
}

const SHORT = { second: 's', minute: 'min', hour: 'h', day: 'd' } as const;

function largestUnit(ms: number): readonly [count: number, unit: keyof typeof SHORT] {
  const span = Math.max(0, ms);
  if (span < MINUTE) return [Math.floor(span / SECOND), 'second'];
  if (span < 2 * HOUR) return [Math.floor(span / MINUTE), 'minute'];
  if (span < 48 * HOUR) return [Math.floor(span / HOUR), 'hour'];
  return [Math.floor(span / (24 * HOUR)), 'day'];
}

/** US dollars: two digits after the point, more for less than a cent. */
export function dollars(amount: number): string {
  if (amount === 0) return '$0';
  return amount < 0.01 ? '<$0.01' : `$${amount.toFixed(2)}`;
}

/** `1 instance`, `3 volumes`, `2 security groups`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
