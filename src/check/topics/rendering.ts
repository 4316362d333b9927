import { readFarmFile } from '../../farm/farm-file.ts';
import { listedIn } from '../../farm/renderfarm.ts';
import { type Configuration, readConfiguration } from '../../gbrowse/configuration.ts';
import { findInstallations } from '../../gbrowse/installations.ts';
import { type Rendering, renderOne } from '../../gbrowse/render.ts';
import { type Finding, notChecked, ok, problem } from '../finding.ts';
import type { Topic } from '../topic.ts';

/** `--render`: one track of every data source is drawn, through a slave of the farm where there is one. */
export const rendering: Topic = {
  name: 'rendering',
  async check(world) {
    const { installations } = await findInstallations();
    const [installation] = installations;
    if (installation === undefined) throw notChecked('there is no GBrowse.conf');
    const slave = listedIn((await readFarmFile(await world.farmFile())) ?? '')[0];
    const configuration = await readConfiguration(installation.file, {
      ...(installation.namedBy !== undefined && { configBase: installation.directory }),
    });
    const found: Finding[] = [];
    for (const source of sourcesOf(configuration)) {
      const drawn = await renderOne(installation, source, {
        timeLimit: world.options.timeLimit,
        ...(slave !== undefined && { slave }),
      });
      world.answered();
      found.push(findingOf(source, drawn, slave));
    }
    return found;
  },
};

function sourcesOf({ sources }: Configuration): readonly string[] {
  return sources.flatMap(({ name, reading }) => (reading === undefined ? [] : [name]));
}

/** The finding for the track of one data source. */
export function findingOf(source: string, drawn: Rendering, slave: string | undefined): Finding {
  const { track, seconds, bytes, error, put } = drawn;
  const where = slave ?? "this machine (no slave is listed), with GBrowse's slave code";
  const what = track === undefined ? source : `track ${track} of ${source}`;
  const details = { details: { source, ...drawn, ...(slave !== undefined && { slave }) } };
  if (error !== undefined)
    return problem(`${source} is not drawn on ${where}: ${error}.`, adviceOn(error, slave), details);
  if (put !== undefined) {
    return problem(
      `${where} draws ${what}, but GBrowse cannot keep the image: ${put}.`,
      'GBrowse\'s CachedTrack.pm expects an image object and gets bytes. "farm = live" in [MASTER] repairs that while GBrowse runs.',
      details,
    );
  }
  return ok(`${where} draws ${what} in ${seconds} s (${bytes} bytes).`, details);
}

function adviceOn(error: string, slave: string | undefined): string {
  if (/cannot be opened on this machine|cannot be read|no track|nothing for track/.test(error)) {
    return "Correct the data source's configuration: its pages show no tracks on this machine either.";
  }
  if (slave === undefined)
    return "The web server's error log has more. A Perl module or a data file may be missing.";
  return (
    'Usually the data are at a different path on the slave than here, or a Perl module is missing or has a different version there. ' +
    'The reason is in /var/log/gbrowse/gbrowse_slave on the slave.'
  );
}
