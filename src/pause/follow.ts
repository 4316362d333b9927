import { type Clock, SECOND } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../log/log.ts';
import { STATE_FILES, type StateStore } from '../os/state-file.ts';
import { type Pause, pauseAt } from '../policy/pause.ts';
import { type PausePlace, pauseFileOf, readPause, removePause } from './pause-file.ts';

/** How soon a running balancer notices a pause. */
const INTERVAL = 2 * SECOND;

/** The pause that `pause` and `resume` have written for this master. */
export type PauseFollower = {
  /** The current pause. A file that cannot be used is reported once and ignored; one that is over is removed. */
  read(): Promise<Pause | undefined>;
  /** Reports the current pause every two seconds, until the signal aborts. */
  follow(tell: (pause: Pause | undefined) => void, signal: AbortSignal): Promise<void>;
};

/** @param place the current place: the configuration may name another directory */
export function followPause(parts: {
  readonly place: () => PausePlace;
  readonly clock: Clock;
  readonly log: Log;
  readonly store?: StateStore;
}): PauseFollower {
  const { clock, log, store = STATE_FILES } = parts;
  let said: string | undefined;

  async function read(): Promise<Pause | undefined> {
    const place = parts.place();
    const found = await readPause(place, clock.wall(), store);
    const why = found.kind === 'unusable' ? found.why : undefined;
    if (why !== undefined && why !== said)
      log.warn(
        `${pauseFileOf(place)} is not used, so there is no pause: ${why}; remove it, or use "gbrowse-aws-balancer pause" again`,
      );
    said = why;
    if (found.kind !== 'value') return undefined;
    const pause = pauseAt(found.value, clock.wall());
    if (pause === undefined)
      await removePause(place, store).catch((error: unknown) => log.debug(messageOf(error)));
    return pause;
  }

  return {
    read,
    async follow(tell, signal) {
      while (!signal.aborted) {
        tell(await read());
        await clock.sleep(INTERVAL, signal).catch(() => {});
      }
    },
  };
}
