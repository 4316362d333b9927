import { readFile } from 'node:fs/promises';
import { type Finding, ok, problem, warning } from '../finding.ts';
import type { Topic } from '../topic.ts';

/** The configuration file: every mistake of it, and whether anybody has edited it yet. */
export const configuration: Topic = {
  name: 'configuration',
  async look(world) {
    const { file, text, config, problems, warnings } = await world.readConfig();
    const findings: Finding[] = [
      ...problems.map(message => problem(message)),
      ...warnings.map(message => warning(message)),
    ];
    if (config !== undefined) {
      const most = Math.max(...config.loadTable.map(({ max }) => max));
      const rows = config.loadTable.length === 1 ? 'one row' : `${config.loadTable.length} rows`;
      findings.unshift(ok(`${file}: a load table of ${rows}, at most ${slaves(most)}.`));
    }
    const shipped = await readFile(world.edges.shippedConfig, 'utf8').catch(() => undefined);
    if (shipped === text) {
      findings.push(
        problem(
          'The file is unchanged since the package installed it, so the service does not start.',
          `Set region, image_id, instance_type and spot_bid in\n    ${file}`,
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

function slaves(count: number): string {
  return count === 1 ? 'one slave' : `${count} slaves`;
}
