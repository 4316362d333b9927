import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { SECOND } from '../../clock.ts';
import { lookUpAccount } from '../../daemon/privileges.ts';
import { readFarmFile } from '../../farm/farm-file.ts';
import { isLive } from '../../farm/live.ts';
import { settingIn } from '../../farm/renderfarm.ts';
import { type Answer, askGBrowse } from '../../gbrowse/ask.ts';
import { findInstallations } from '../../gbrowse/installations.ts';
import { type Finding, ok, problem, skipped } from '../finding.ts';
import type { Topic } from '../topic.ts';
import type { World } from '../world.ts';

const INSTALL = 'As root:\n    gbrowse-aws-balancer farm --install';
/** GBrowse's modules alone take seconds to load. */
const LONGEST = 30 * SECOND;

/** Whether GBrowse follows the list (`farm = live`), and whether it can keep what slaves draw. */
export const following: Topic = {
  name: 'following',
  async check(world) {
    const { farm, farmList } = (await world.config()).master;
    const file = await world.farmFile();
    // Less than the time limit of `check` itself.
    const timeLimit = Math.min(LONGEST, world.options.timeLimit * 0.9);
    if (farm === 'file') {
      const known = await configurationBeside(file);
      if (known === undefined) return [];
      return keepingFindings(await askGBrowse(known, { timeLimit }), file);
    }
    const missing = installedFinding((await readFarmFile(file)) ?? '', file, farmList);
    const place = await listFinding(farmList, world);
    if (missing !== undefined) return [missing, ...place];
    const known = (await configurationBeside(file)) ?? path.join(path.dirname(file), 'GBrowse.conf');
    const answer = await askGBrowse(known, { list: farmList, timeLimit });
    return [...place, ...followingFindings(answer, farmList)];
  },
};

/** The main file of the GBrowse of this machine that is configured in the directory of the farm file. */
async function configurationBeside(file: string): Promise<string | undefined> {
  const { installations } = await findInstallations().catch(() => ({ installations: [] }));
  const real = (one: string) => realpath(one).catch(() => one);
  const own = await real(path.dirname(file));
  for (const one of installations) if ((await real(one.directory)) === own) return one.file;
  return undefined;
}

/** What is wrong with the lines in the farm file; undefined when they are there and written by this version. */
export function installedFinding(text: string, file: string, list: string): Finding | undefined {
  if (isLive(text, list)) return undefined;
  const named = settingIn(text, 'renderfarm list');
  if (named === undefined) {
    return problem(`${file} does not have GBrowse follow the list of slaves (farm = live).`, INSTALL);
  }
  return named === list
    ? problem(`The lines in ${file} by which GBrowse follows the list are of another version.`, INSTALL)
    : problem(`${file} has GBrowse follow the list ${named}, and [MASTER] farm_list is ${list}.`, INSTALL);
}

async function listFinding(list: string, world: World): Promise<readonly Finding[]> {
  const directory = path.dirname(list);
  const user = world.options.user ?? (await world.service().catch(() => undefined))?.USER;
  const fix = `${INSTALL} --user ${user ?? 'NAME'}`;
  const found = await stat(directory).catch(() => undefined);
  if (found === undefined)
    return [problem(`There is no directory ${directory} for the list of slaves.`, fix)];
  const account = user === undefined ? undefined : await lookUpAccount(user).catch(() => undefined);
  if (account === undefined || account.uid === found.uid) return [];
  return [problem(`${directory} does not belong to ${user}, who is to write the list of slaves there.`, fix)];
}

/** What GBrowse's own modules say about a farm file with the lines in it. */
export function followingFindings(answer: Answer | string, list: string): readonly Finding[] {
  if (typeof answer === 'string') return [skipped(`not checked: ${answer}`)];
  const { follows, slaves, unreadable, refusal } = answer;
  if (!follows) {
    return [
      problem(
        'GBrowse has read the lines in the farm file, and does not follow the list of slaves all the same.',
        'Set "farm = file" in [MASTER], and as root:\n    gbrowse-aws-balancer farm --remove',
      ),
    ];
  }
  if (unreadable !== '') {
    return [
      problem(
        `GBrowse cannot read the list of slaves ${list} as the web server's user: ${unreadable}.`,
        `Let everybody read it, and enter the directories that it is in:\n    namei -l ${list}`,
      ),
    ];
  }
  const now = slaves.length === 0 ? 'no slave now' : `${slaves.length} now`;
  return [
    ok(`GBrowse follows ${list}: ${now}.`, { details: { slaves } }),
    ...(refusal.configured !== ''
      ? [problem(`GBrowse cannot keep an image that a slave has drawn: ${refusal.configured}.`)]
      : refusal.installed !== ''
        ? [ok('Its CachedTrack.pm cannot keep what slaves draw; that is repaired while GBrowse runs.')]
        : []),
  ];
}

/** Whether a GBrowse that reads its slaves from the farm file itself can keep what they draw. */
export function keepingFindings(answer: Answer | string, file: string): readonly Finding[] {
  if (typeof answer === 'string') return [skipped(`not checked: ${answer}`)];
  if (answer.refusal.configured === '') return [];
  return [
    problem(
      `GBrowse cannot keep an image that a slave has drawn, so every such track is an error: ${answer.refusal.configured}.`,
      `Set "farm = live" in [MASTER], which repairs that while GBrowse runs; ${file} has to say so, too. ${INSTALL}`,
    ),
  ];
}
