const DAY = 24 * 3_600_000;

/** The start (wall clock ms) of the day that a moment is in. Days are UTC's, as AWS counts and bills them. */
export function startOfDay(wall: number): number {
  return Math.floor(wall / DAY) * DAY;
}
