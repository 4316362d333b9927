import { STATE_FILES, type StateKind, type StateRead, stateFileOf } from '../os/state-file.ts';
import type { Pause } from '../policy/pause.ts';

export const PAUSE: StateKind<Pause> = {
  name: 'pause',
  version: 1,
  mostBytes: 4096,
  understand(value) {
    const { since, until, release } = Object(value) as Record<string, unknown>;
    const isMoment = (it: unknown): it is number => typeof it === 'number' && Number.isFinite(it);
    if (!isMoment(since) || typeof release !== 'boolean') return undefined;
    if (until === undefined) return { since, release };
    return isMoment(until) && Math.abs(until) < LATEST ? { since, until, release } : undefined;
  },
};

/** No date is later, ms. */
const LATEST = 8.64e15;

/** The file with the pause of a master. */
export type PausePlace = { readonly directory: string; readonly master: string };

export function pauseFileOf({ directory, master }: PausePlace): string {
  return stateFileOf(directory, PAUSE, master);
}

/** @param now wall clock ms */
export function readPause(place: PausePlace, now: number, store = STATE_FILES): Promise<StateRead<Pause>> {
  return store.read(pauseFileOf(place), PAUSE, { master: place.master, now });
}

/**
 * @param now wall clock ms
 * @throws the system's error
 */
export function writePause(place: PausePlace, now: number, pause: Pause): Promise<void> {
  return STATE_FILES.write(pauseFileOf(place), PAUSE, { master: place.master, now }, pause);
}

export function removePause(place: PausePlace, store = STATE_FILES): Promise<void> {
  return store.remove(pauseFileOf(place));
}
