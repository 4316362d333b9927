const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * A span of time (ms) for people: `0.4 s`, `90 s`, `3 min 5 s`, `25 min`, `3 h 12 min`, `4 d 2 h`. The smaller unit is
 * given where it matters, and never as 0.
 */
export function duration(ms: number): string {
  const span = Math.max(0, ms);
  if (span < 950) return `${Number((span / SECOND).toFixed(1))} s`;
  if (Math.round(span / SECOND) < 100) return `${Math.round(span / SECOND)} s`;
  if (span < 10 * MINUTE) return units(Math.round(span / SECOND), 60, 'min', 's');
  if (Math.round(span / MINUTE) < 100) return `${Math.round(span / MINUTE)} min`;
  if (span < 2 * DAY) return units(Math.round(span / MINUTE), 60, 'h', 'min');
  if (span < 10 * DAY) return units(Math.round(span / HOUR), 24, 'd', 'h');
  return `${Math.round(span / DAY)} d`;
}

function units(count: number, per: number, large: string, small: string): string {
  const rest = count % per;
  return `${Math.floor(count / per)} ${large}${rest === 0 ? '' : ` ${rest} ${small}`}`;
}
