import { readFile } from 'node:fs/promises';
import { SECOND } from '../../clock.ts';
import type { MasterConfig } from '../../config/config.ts';
import { duration } from '../../format/durations.ts';
import { type Finding, ok, problem, warning } from '../finding.ts';
import type { Topic } from '../topic.ts';

/** The configuration file: every mistake in it, and whether anybody has edited it yet. */
export const configuration: Topic = {
  name: 'configuration',
  async check(world) {
    const { file, text, config, problems, warnings } = await world.readConfig();
    const findings: Finding[] = [
      ...problems.map(message => problem(message)),
      ...warnings.map(message => warning(message)),
    ];
    if (config !== undefined) {
      const most = Math.max(...config.loadTable.map(({ max }) => max));
      const rows = config.loadTable.length === 1 ? 'one row' : `${config.loadTable.length} rows`;
      findings.unshift(
        ok(`${file}: a load table of ${rows}, at most ${slaves(most)}.`),
        ...hastyPolls(config.master),
      );
    }
    const shipped = await readFile(world.edges.shippedConfig, 'utf8').catch(() => undefined);
    if (shipped === text) {
      findings.push(
        problem(
          'The file is unchanged since the package installed it, so the service does not start.',
          `Run setup, which asks for the settings and writes the file:\n    sudo gbrowse-aws-balancer setup`,
        ),
      );
    }
    const service = (await world.service())?.CONFFILE;
    if (world.options.confFile === undefined && service !== undefined && service !== file) {
      findings.push(
        warning(
          `The service reads another file, ${service}.`,
          `To check that one:\n    gbrowse-aws-balancer check --conf ${service}`,
        ),
      );
    }
    return findings;
  },
};

/** The load of a shorter time is mostly chance: a simulated week has 4 launches a day at 15 s, 15 at 10 s, and 83 at 6 s. */
const SHORTEST_POLL = 15 * SECOND;

/** Whether the balancer would launch and release slaves because of chance alone. */
export function hastyPolls({
  pollInterval,
  releaseAfter,
}: Pick<MasterConfig, 'pollInterval' | 'releaseAfter'>): readonly Finding[] {
  if (releaseAfter !== 'never' || pollInterval >= SHORTEST_POLL) return [];
  return [
    warning(
      `poll_interval is ${duration(pollInterval)}: how many requests come in so short a time is mostly chance, so slaves are launched and released again and again.`,
      'Set in [MASTER] a longer poll_interval, such as 0.5 (minutes); or release_after = auto, which acts only on what is more than chance.',
    ),
  ];
}

function slaves(count: number): string {
  return count === 1 ? 'one slave' : `${count} slaves`;
}
