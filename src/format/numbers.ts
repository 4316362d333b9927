/** `1,234` */
export function grouped(value: number, digits = 0): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** `1 slave`, `2 slaves` */
export function counted(count: number, one: string, more = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : more}`;
}

/** A load in requests/s: `0.74`, `12.3`, `140`. */
export function requestRate(requestsPerSecond: number): string {
  return requestsPerSecond < 10
    ? requestsPerSecond.toFixed(2)
    : requestsPerSecond < 100
      ? requestsPerSecond.toFixed(1)
      : String(Math.round(requestsPerSecond));
}

/** `0 %`, `0.93 %`, `27.2 %`; `< 0.01 %` for less than that but not zero. */
export function share(part: number, all: number): string {
  if (part <= 0 || all <= 0) return '0 %';
  const percent = (100 * part) / all;
  if (percent < 0.01) return '< 0.01 %';
  return `${percent.toFixed(percent < 10 ? 2 : 1)} %`;
}
