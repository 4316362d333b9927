import { constants } from 'node:fs';
import { access, readFile, realpath, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import path from 'node:path';
import { SECOND } from '../../clock.ts';
import { isLockHeld } from '../../daemon/lock.ts';
import { systemCode } from '../../errors.ts';
import { readFarmFile } from '../../farm/farm-file.ts';
import { foreignIn, listedIn, ownIn } from '../../farm/renderfarm.ts';
import { findInstallations, type Installation } from '../../gbrowse/installations.ts';
import { farmFindings } from '../farm-findings.ts';
import { type Finding, ok, problem, warning } from '../finding.ts';
import type { Topic } from '../topic.ts';
import type { World } from '../world.ts';

/** Where systemd's unit lets the balancer write farm files. */
const UNIT = '/usr/lib/systemd/system/gbrowse-aws-balancer.service';
/** For a slave of the administrator's, ms. */
const ANSWER_LIMIT = 5 * SECOND;
const OPEN_TO_THE_UNIT = ['/etc/gbrowse2', '/etc/gbrowse', '/opt/gbrowse/etc'];

/** GBrowse's farm file: whether GBrowse reads it, whether the balancer may write it, what it lists now. */
export const farmFile: Topic = {
  name: 'farm file',
  async check(world) {
    const file = await world.farmFile();
    // Then root has written it once, and the list is another file.
    if ((await world.config()).master.farm === 'live') return included(file);
    const [read, written, listed] = await Promise.all([
      included(file),
      writable(file, world),
      list(file, world),
    ]);
    return [...read, ...written, ...listed];
  },
};

/** Every GBrowse of this machine: the one beside the farm file first. */
async function included(file: string): Promise<readonly Finding[]> {
  const { installations } = await findInstallations().catch(() => ({ installations: [] }));
  const beside = { directory: path.dirname(file), file: path.join(path.dirname(file), 'GBrowse.conf') };
  const own = await realpath(beside.directory).catch(() => beside.directory);
  const others: Installation[] = [];
  for (const one of installations) if ((await realpath(one.directory)) !== own) others.push(one);
  const named = installations.find(one => !others.includes(one));
  const hasOwn = (await stat((named ?? beside).file).catch(() => undefined)) !== undefined;
  const all = hasOwn ? [named ?? beside, ...others] : others;
  if (all.length === 0) {
    return [
      warning(
        `${file}: there is no GBrowse.conf beside it or in the usual places, so it is not known whether GBrowse reads it.`,
        'Its GBrowse.conf needs this line, in [GENERAL]:\n    #include renderfarm.conf',
      ),
    ];
  }
  const found: Finding[] = [];
  for (const [at, one] of all.entries()) found.push(...(await farmFindings(one, file, at === 0)));
  return found;
}

/** As in `replaceFarmFile`: a new file beside the old one, with the same owner, replaces it. */
async function writable(file: string, world: World): Promise<readonly Finding[]> {
  const target = await realpath(file).catch(() => file);
  const directory = path.dirname(target);
  const reason = await reasonAgainst(target, directory);
  const isRoot = process.geteuid?.() === 0;
  if (reason === undefined) {
    const service = isRoot ? await closedToTheUnit(directory) : undefined;
    return service === undefined ? [] : [service];
  }
  if (isRoot) return [problem(`${file} cannot be written: ${reason}.`)];
  const asService = await world
    .service()
    .then(() => stat(world.edges.settingsFile))
    .catch(() => undefined);
  const message = `This user (${userInfo().username}) may not write ${file}: ${reason}.`;
  const fix =
    'A balancer that root starts may write it, even if it runs as another user:\n    sudo gbrowse-aws-balancer --user NAME';
  return [asService === undefined ? problem(message, fix) : warning(message, fix)];
}

async function reasonAgainst(target: string, directory: string): Promise<string | undefined> {
  try {
    await access(directory, constants.W_OK | constants.X_OK);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EROFS') return `the file system of ${directory} is read-only`;
    return code === 'ENOENT' ? `there is no directory ${directory}` : `no permission in ${directory}`;
  }
  const uid = process.geteuid?.();
  const owner = (await stat(target).catch(() => undefined))?.uid;
  return owner === undefined || uid === 0 || uid === owner ? undefined : 'it belongs to another user';
}

/** The unit's sandbox keeps a farm file in an unusual place read-only. */
async function closedToTheUnit(directory: string): Promise<Finding | undefined> {
  const isOpen = OPEN_TO_THE_UNIT.some(place => directory === place || directory.startsWith(`${place}/`));
  const unit = await readFile(UNIT, 'utf8').catch(() => undefined);
  const runsHere = (await stat('/run/systemd/system').catch(() => undefined)) !== undefined;
  if (isOpen || unit === undefined || !runsHere) return undefined;
  return warning(
    `The systemd unit may write only in ${OPEN_TO_THE_UNIT.join(', ')}.`,
    `Run "systemctl edit gbrowse-aws-balancer" and add:\n    [Service]\n    ReadWritePaths=${directory}`,
  );
}

/** Who is in the list: the balancer's slaves and the administrator's. */
async function list(file: string, world: World): Promise<readonly Finding[]> {
  const text = await readFarmFile(file);
  if (text === undefined) return [ok('It does not exist yet; the balancer creates it.')];
  const listed = listedIn(text);
  const own = ownIn(text).filter(url => listed.includes(url));
  const theirs = foreignIn(text).filter(url => listed.includes(url));
  return [
    ...(await balancers(own, world)),
    ...(await Promise.all(theirs.map(it => foreign(it, file, world)))),
  ];
}

/** Those that no balancer manages disappear sooner or later, while GBrowse still contacts them. */
async function balancers(slaves: readonly string[], world: World): Promise<readonly Finding[]> {
  if (slaves.length === 0) return [];
  const { name } = await world.site();
  if (await isLockHeld(`master:${name}`))
    return [ok(`It lists ${slaves.length} now.`, { details: { slaves } })];
  return [
    warning(
      `It lists ${slaves.length}, but no balancer is running to manage them: GBrowse may be contacting slaves that are gone.`,
      'Starting the balancer takes over the live ones and removes the others:\n    service gbrowse-aws-balancer start',
      { details: { slaves } },
    ),
  ];
}

/** A slave of the administrator's, which the balancer leaves in the list whatever it does. Any answer will do. */
async function foreign(url: string, file: string, world: World): Promise<Finding> {
  const limit = AbortSignal.timeout(Math.min(ANSWER_LIMIT, world.options.timeLimit / 2));
  try {
    await world.edges.fetchDate(url, AbortSignal.any([limit, world.signal]));
    world.answered();
    return ok(`It lists ${url}, which is not the balancer's and stays.`);
  } catch {
    return warning(
      `It lists ${url}, which is not the balancer's and does not answer.`,
      `GBrowse asks it all the same, and the balancer never removes it. If it is gone, take it out of "remote renderer" in ${file}.`,
    );
  }
}
