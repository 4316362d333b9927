import { isUserError } from '../../errors.ts';
import { assertRestartable } from '../../farm/graceful.ts';
import { type Process, seesFile } from '../../farm/processes.ts';
import { findApaches, findResidents, type Resident } from '../../farm/resident.ts';
import { type Finding, ok, problem, warning } from '../finding.ts';
import type { Topic } from '../topic.ts';
import type { World } from '../world.ts';

/** How GBrowse runs, and whether it can be told of a new farm file where it has to be. */
export const gbrowse: Topic = {
  name: 'GBrowse',
  async look(world) {
    const { reloadCommand } = (await world.config()).master;
    const residents = await readersOf(await world.farmFile().catch(() => undefined));
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
async function readersOf(farmFile: string | undefined): Promise<readonly Resident[]> {
  const residents = await findResidents(Date.now());
  if (farmFile === undefined) return residents;
  const sees = await Promise.all(residents.map(({ process }) => seesFile(process.pid, farmFile)));
  return residents.filter((_, at) => sees[at]);
}

async function asCgi(reloadCommand: string): Promise<Finding> {
  const reload =
    reloadCommand === 'auto' || reloadCommand === 'none'
      ? 'nothing needs to be reloaded'
      : 'reload_command is run all the same';
  if ((await findApaches()).length === 0) {
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
  const findings: Finding[] = [];
  const apaches = new Map<number, Process>();
  for (const { process, apache } of residents) {
    if (apache !== undefined) apaches.set(apache.pid, apache);
    else {
      findings.push(
        problem(
          `It runs as FastCGI outside of Apache (pid ${process.pid}), so a new farm file is not seen.`,
          `In ${place}, the command that restarts it:\n    reload_command = COMMAND`,
        ),
      );
    }
  }
  for (const apache of apaches.values()) findings.push(await reload(apache, ways, place));
  return findings;
}

async function reload(apache: Process, ways: string, place: string): Promise<Finding> {
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
      `Mend Apache's configuration, or in ${place} name another way:\n    reload_command = COMMAND`,
    );
  }
}
