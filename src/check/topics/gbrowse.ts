import { isUserError } from '../../errors.ts';
import { assertRestartable, findApaches, findResidents, type Resident } from '../../farm/apache.ts';
import { pathSeenBy } from '../../gbrowse/seen-at.ts';
import { type RunningProcess, seesFile } from '../../os/process.ts';
import { type Finding, ok, problem, warning } from '../finding.ts';
import type { Topic } from '../topic.ts';
import type { World } from '../world.ts';

/** How GBrowse runs, and whether it can be told about a new farm file if it needs to be. */
export const gbrowse: Topic = {
  name: 'GBrowse',
  async check(world) {
    const farmFile = await world.farmFile().catch(() => undefined);
    const all = findResidents(Date.now());
    const here = all.filter(({ process: { pid } }) => farmFile === undefined || seesFile(pid, farmFile));
    const elsewhere = all.filter(resident => !here.includes(resident));
    const { farm, reloadCommand } = (await world.config()).master;
    if (farm === 'live' && elsewhere.length === 0) return await live(here, reloadCommand);
    return [
      ...(here.length > 0 || elsewhere.length === 0 ? await ofThose(here, reloadCommand, world) : []),
      ...(farmFile === undefined ? [] : await inContainers(elsewhere, farmFile, reloadCommand, world)),
    ];
  },
};

async function ofThose(
  residents: readonly Resident[],
  reloadCommand: string,
  world: World,
): Promise<readonly Finding[]> {
  if (residents.length === 0) return [await asCgi(reloadCommand)];
  const ways = [...new Set(residents.map(({ runsAs }) => runsAs))].join(' and ');
  if (reloadCommand === 'none') return [await silent(ways, world)];
  if (reloadCommand !== 'auto') {
    return [
      ok(`It runs as ${ways}; reload_command tells it about a new farm file (not tried): ${reloadCommand}`),
    ];
  }
  return reloads(residents, ways, world);
}

/** GBrowses that do not see the farm file at its path: they run in containers, where it may be mounted elsewhere. */
async function inContainers(
  residents: readonly Resident[],
  farmFile: string,
  reloadCommand: string,
  world: World,
): Promise<readonly Finding[]> {
  const place = await world.place('MASTER', 'reload_command');
  const paths = new Map<string | undefined, Resident>();
  for (const resident of residents) paths.set(pathSeenBy(resident.process.pid, farmFile), resident);
  return [...paths].flatMap(
    ([
      seen,
      {
        process: { pid },
        runsAs,
      },
    ]) =>
      containerFinding({
        pid,
        runsAs,
        farmFile,
        seen,
        place,
        isTold: !['auto', 'none'].includes(reloadCommand),
      }),
  );
}

/** @param seen the path of the farm file in the container; undefined where it is not there */
export function containerFinding({
  pid,
  runsAs,
  farmFile,
  seen,
  place,
  isTold,
}: {
  readonly pid: number;
  readonly runsAs: string;
  readonly farmFile: string;
  readonly seen: string | undefined;
  readonly place: string;
  readonly isTold: boolean;
}): readonly Finding[] {
  const who = `A GBrowse (pid ${pid}, ${runsAs}) runs in a container`;
  if (seen === undefined) {
    return [
      warning(
        `${who} that does not see ${farmFile}: no slave draws for it.`,
        `Mount the directory of ${farmFile} into the container, or set renderfarm_conf to the file that it reads.`,
      ),
    ];
  }
  if (isTold)
    return [
      ok(`${who}, which has ${farmFile} at ${seen}; reload_command tells it about a change (not tried).`),
    ];
  return [
    warning(
      `${who}, which has ${farmFile} at ${seen} and keeps what it has read: it will not see a change.`,
      `In ${place}, the command that reloads the container's Apache:\n    reload_command = docker exec CONTAINER apachectl graceful`,
    ),
  ];
}

/** It follows the list by itself; reload_command is run anyway if it is a command. */
async function live(residents: readonly Resident[], reloadCommand: string): Promise<readonly Finding[]> {
  if (residents.length === 0) return [await asCgi(reloadCommand)];
  const ways = [...new Set(residents.map(({ runsAs }) => runsAs))].join(' and ');
  const more = ['auto', 'none'].includes(reloadCommand)
    ? 'nothing needs to be reloaded when the farm changes'
    : `reload_command is run when the farm changes (not tried): ${reloadCommand}`;
  return [ok(`It runs as ${ways}; ${more}.`)];
}

async function asCgi(reloadCommand: string): Promise<Finding> {
  const reload =
    reloadCommand === 'auto' || reloadCommand === 'none'
      ? 'nothing needs to be reloaded'
      : 'reload_command is run anyway';
  if (findApaches().length === 0) {
    return warning(
      'There is no Apache among the processes of this machine, so how GBrowse runs is not known.',
    );
  }
  return ok(`It runs as CGI, or nobody has used it yet: no GBrowse stays in memory, ${reload}.`);
}

async function silent(ways: string, world: World): Promise<Finding> {
  return warning(
    `It runs as ${ways}, which keeps the farm file that it has read, and reload_command is none: it will not see a slave.`,
    `In ${await world.place('MASTER', 'reload_command')}:\n    reload_command = auto`,
  );
}

async function reloads(
  residents: readonly Resident[],
  ways: string,
  world: World,
): Promise<readonly Finding[]> {
  const place = await world.place('MASTER', 'reload_command');
  const apaches = new Map(residents.map(({ apache }) => [apache.pid, apache]));
  return await Promise.all([...apaches.values()].map(apache => reload(apache, ways, place)));
}

async function reload(apache: RunningProcess, ways: string, place: string): Promise<Finding> {
  try {
    await assertRestartable(apache);
    return ok(
      `It runs as ${ways}; Apache (pid ${apache.pid}) can be reloaded gracefully when the farm changes.`,
    );
  } catch (error) {
    if (!isUserError(error)) throw error;
    if (process.geteuid?.() !== 0) {
      return warning(
        `It runs as ${ways}, and this user may not reload Apache (pid ${apache.pid}).`,
        'Start the balancer as root (it becomes another user with --user), or check as root:\n    sudo gbrowse-aws-balancer check',
      );
    }
    return problem(
      `It runs as ${ways}, and Apache cannot be reloaded: ${error.message}.`,
      `Fix Apache's configuration, or in ${place} name another way:\n    reload_command = COMMAND`,
    );
  }
}
