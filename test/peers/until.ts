import { setTimeout as sleep } from 'node:timers/promises';

/** Long enough for a loaded machine. */
const PATIENCE = 300_000;

/** Waits until `look` finds something, and returns it. Looks twenty times a second. */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await sleep(50);
  }
}
