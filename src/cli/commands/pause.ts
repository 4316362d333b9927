import { setTimeout as sleep } from 'node:timers/promises';
import { SECOND } from '../../clock.ts';
import { failure } from '../../errors.ts';
import { stateTrouble } from '../../os/state-file.ts';
import { type PausePlace, pauseFileOf, readPause, removePause, writePause } from '../../pause/pause-file.ts';
import { type Pause, pauseInWords, untilInWords } from '../../policy/pause.ts';
import { askBalancer } from '../../status/ask.ts';
import { configuredMaster } from '../../status/find.ts';
import type { Report } from '../../status/report.ts';
import type { Given } from '../given.ts';
import { becomeStateOwner } from '../own-state.ts';

/** A running balancer looks every two seconds, and then empties the farm. */
const PATIENCE = 30 * SECOND;
const BETWEEN = SECOND / 2;

/**
 * `gbrowse-aws-balancer pause`: GBrowse draws locally.
 *
 * @returns the exit status
 */
export async function pause(given: Given<'pause'>): Promise<number> {
  const place = await placeOf(given.conf);
  const now = Date.now();
  const wanted: Pause = {
    since: now,
    ...(given.for !== undefined && { until: now + given.for }),
    release: given.release,
  };
  await change(place, () => writePause(place, now, wanted));
  const running = await whenTold(
    place,
    report =>
      report.pause !== null &&
      Date.parse(report.pause.since) === now &&
      (report.farm.listedUrls.length === 0 || report.balancer.phase !== 'running'),
  );
  const what = `${untilInWords(wanted, now)}: ${pauseInWords(wanted)}`;
  print(
    running
      ? `Paused ${what}.`
      : `No balancer is running for the master "${place.master}". When it is started, it is paused ${what}.`,
  );
  if (running && !given.release) print('The slaves go on costing money; --release releases them.');
  return 0;
}

/**
 * `gbrowse-aws-balancer resume`: ends a pause.
 *
 * @returns the exit status
 */
export async function resume(given: Given<'resume'>): Promise<number> {
  const place = await placeOf(given.conf);
  const wasPaused = (await readPause(place, Date.now())).kind === 'value';
  await change(place, () => removePause(place));
  const running = await whenTold(place, report => report.pause === null);
  if (!wasPaused) print(`The master "${place.master}" was not paused.`);
  else if (running) print('The pause is over: GBrowse draws on the slaves again.');
  else print(`The pause is over. No balancer is running for the master "${place.master}".`);
  return 0;
}

async function placeOf(conf: string | undefined): Promise<PausePlace> {
  const { config, master } = await configuredMaster(conf);
  const { stateDirectory: directory } = config.master;
  await becomeStateOwner(directory, config.file);
  return { directory, master };
}

async function change(place: PausePlace, make: () => Promise<void>): Promise<void> {
  try {
    await make();
  } catch (error) {
    const file = pauseFileOf(place);
    throw failure(`${file} cannot be written: ${stateTrouble(file, error)}`, { cause: error });
  }
}

/**
 * Waits until the running balancer says that it is so.
 *
 * @returns false when none runs
 * @throws {UserError} when it does not say so in time
 */
async function whenTold({ master }: PausePlace, isSo: (report: Report) => boolean): Promise<boolean> {
  const deadline = performance.now() + PATIENCE;
  for (;;) {
    const answer = await askBalancer(master);
    if (answer.kind === 'not running') return false;
    if (answer.kind === 'report' && isSo(answer.report)) return true;
    if (performance.now() > deadline) {
      throw failure(
        `the balancer of the master "${master}" has not confirmed it within ${PATIENCE / SECOND} s; "gbrowse-aws-balancer status" and its log say more`,
      );
    }
    await sleep(BETWEEN);
  }
}

function print(sentence: string): void {
  process.stdout.write(`${sentence}\n`);
}
