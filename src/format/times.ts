/** Local time: `12:31:02`, with the date if it is not the day of `now`. Both are ISO 8601 times. */
export function clockTime(time: string, now: string): string {
  const [moment, today] = [new Date(time), new Date(now)];
  const two = (value: number) => String(value).padStart(2, '0');
  const clock = `${two(moment.getHours())}:${two(moment.getMinutes())}:${two(moment.getSeconds())}`;
  if (moment.toDateString() === today.toDateString()) return clock;
  return `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())} ${clock}`;
}

/** `2026-11-25 23:10`, in UTC, of a moment (wall clock ms). */
export function minuteOf(wall: number): string {
  return new Date(wall).toISOString().slice(0, 16).replace('T', ' ');
}
