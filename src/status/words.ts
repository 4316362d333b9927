/** A span of time for people: `42 s`, `5 min`, `3 h 12 min`, `4 d 2 h`. */
export function span(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 100) return `${s} s`;
  const minutes = Math.round(s / 60);
  if (minutes < 100) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  const days = Math.floor(hours / 24);
  return hours % 24 === 0 ? `${days} d` : `${days} d ${hours % 24} h`;
}

/** The same in one unit, for a column: `42s`, `5m`, `3.2h`, `4.1d`. */
export function shortSpan(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 100) return `${s}s`;
  if (s < 6000) return `${Math.round(s / 60)}m`;
  if (s < 172_800) return `${(s / 3600).toFixed(1)}h`;
  return `${(s / 86_400).toFixed(1)}d`;
}

/** Requests/s: as many digits as say something. */
export function rate(requestsPerSecond: number): string {
  return requestsPerSecond < 10
    ? requestsPerSecond.toFixed(2)
    : requestsPerSecond < 100
      ? requestsPerSecond.toFixed(1)
      : String(Math.round(requestsPerSecond));
}

/** A sum in dollars: `$1.20`, and small ones with the digits that they need: `$0.0043`. */
export function money(dollars: number): string {
  if (dollars === 0 || dollars >= 0.095) return `$${grouped(dollars, 2)}`;
  return `$${dollars.toFixed(4)}`;
}

/** `1,234` */
export function grouped(value: number, digits = 0): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** `1 slave`, `2 slaves` */
export function counted(count: number, one: string, more = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : more}`;
}

/** Local time: `12:31:02`, with the date where that is not the day of `now`. */
export function clockTime(time: string, now: string): string {
  const [moment, today] = [new Date(time), new Date(now)];
  const two = (value: number) => String(value).padStart(2, '0');
  const clock = `${two(moment.getHours())}:${two(moment.getMinutes())}:${two(moment.getSeconds())}`;
  if (moment.toDateString() === today.toDateString()) return clock;
  return `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())} ${clock}`;
}

/** What would steer a terminal, made visible; line ends become blanks. */
export function harmless(text: string): string {
  return text
    .replaceAll(/\s*\n\s*/g, ' ')
    .replaceAll(
      /[\p{Cc}\p{Bidi_C}\u2028\u2029]/gu,
      it => `\\x${it.codePointAt(0)?.toString(16).padStart(2, '0')}`,
    );
}
