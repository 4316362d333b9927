import { type Clock, MINUTE } from '../clock.ts';

/** What was called for and no longer is, is said again when it is called for again. */
const FORGOTTEN = 2 * MINUTE;

/** Says of each topic what has changed: not the same thing again as long as it is repeated. */
export function sayChanges(clock: Clock, say: (message: string) => void) {
  const said = new Map<string, { readonly key: string; readonly at: number }>();
  /** @param key what makes it another thing; numbers that always change are not in it */
  return (topic: string, key: string, message: string): void => {
    const last = said.get(topic);
    const now = clock.monotonic();
    said.set(topic, { key, at: now });
    if (last?.key !== key || now - last.at > FORGOTTEN) say(message);
  };
}
