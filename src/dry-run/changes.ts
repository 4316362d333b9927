import { type Clock, MINUTE } from '../clock.ts';

/** How long a message is remembered: if it becomes due again later, it is logged again. */
const FORGOTTEN = 2 * MINUTE;

/** Logs changes of each topic: nothing is repeated while it stays the same. */
export function sayChanges(clock: Clock, say: (message: string) => void) {
  const said = new Map<string, { readonly key: string; readonly at: number }>();
  /** @param key what identifies the message; it leaves out numbers that always change */
  return (topic: string, key: string, message: string): void => {
    const last = said.get(topic);
    const now = clock.monotonic();
    said.set(topic, { key, at: now });
    if (last?.key !== key || now - last.at > FORGOTTEN) say(message);
  };
}
