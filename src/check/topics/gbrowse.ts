import { isUserError } from '../../errors.ts';
import { assertRestartable, findApaches, findResidents, type Resident } from '../../farm/apache.ts';
import { type RunningProcess, seesFile } from '../../os/process.ts';
import { type Finding, ok, problem, warning } from '../finding.ts';
import type { Topic } from '../topic.ts';
import type { World } from '../world.ts';

/** How GBrowse runs, and whether it can be told of a new farm file where it has to be. */
export const gbrowse: Topic = {
  name: 'GBrowse',
  async look(world) {
    const { reloadCommand } = (await world.config()).master;
    const residents = readersOf(await world.farmFile().catch(() => undefined));
    if (residents.length === 0) return [await asCgi(reloadCommand)];
    const ways = [...new Set(residents.map(({ runsAs }) => runsAs))].join(' and ');
    if (reloadCommand === 'none') return [await silent(ways, world)];
    if (reloadCommand !== 'auto') {
      return [
        ok(`It runs as ${ways}; reload_command tells it of a new farm file (not tried): ${reloadCommand}`),
      ];
    }
    return reloads(residents, ways, world);
  },
};

/** The GBrowses in memory, without those in containers of their own, which see another file there. */
function readersOf(farmFile: string | undefined): readonly Resident[] {
  const residents = findResidents(Date.now());
  return farmFile === undefined
    ? residents
    : residents.filter(({ process }) => seesFile(process.pid, farmFile));
}

async function asCgi(reloadCommand: string): Promise<Finding> {
  const reload =
    reloadCommand === 'auto' || reloadCommand === 'none'
      ? 'nothing needs to be reloaded'
      : 'reload_command is run all the same';
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
      `It runs as ${ways}, and Apache cannot be reloaded. ${error.message}`,
      `Fix Apache's configuration, or in ${place} name another way:\n    reload_command = COMMAND`,
    );
  }
}
