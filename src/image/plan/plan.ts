import type { Ec2 } from '../../ec2/api.ts';
import { perlLibrariesOfApache } from '../../gbrowse/apache.ts';
import type { Installation } from '../../gbrowse/installations.ts';
import { findProgram, missingProgram } from '../../os/command.ts';
import type { ImageOrder, OwnScript } from '../order.ts';
import { type Distribution, findDistribution } from '../survey/distribution.ts';
import { changedFiles, installedPackages, ownersBelow } from '../survey/packages.ts';
import { modulesNamedBy, surveyPerl } from '../survey/perl.ts';
import {
  driversOf,
  filesBelow,
  findGbrowse,
  findTrialSource,
  pluginPath,
  preloadFile,
  slaveProgram,
} from '../survey/site.ts';
import { type BaseImage, findGivenImage, findOfficialImage, type Targets, targetsOf } from './base.ts';
import { isSearched, type SiteFiles, siteFiles } from './copies.ts';
import { packagesToInstall } from './packages.ts';
import type { TrialSource } from './trial-source.ts';

/** The parts of this master that a slave needs, too. */
export type MasterSurvey = {
  readonly distribution: Distribution;
  readonly installation: Installation;
  readonly gbrowse: {
    /** As its main module has it: `2.56`. */
    readonly version: string;
    /** The version of its package; unset: it is from none. */
    readonly package?: string;
  };
  /** Names, GBrowse's first. */
  readonly packages: readonly string[];
  /** Files that are in no package, or differ from it. */
  readonly copies: readonly SiteFiles[];
  /** Directories that Apache's configuration puts before those where Perl looks by itself. */
  readonly libraries: readonly string[];
  /** Modules that data sources name, and that this master does not have. */
  readonly failed: readonly string[];
  readonly trial?: TrialSource;
};

/** Everything that `image` is about to do. */
export type ImagePlan = MasterSurvey &
  Targets & {
    readonly base: BaseImage;
    readonly region: string;
    readonly script?: OwnScript;
    /** What the administrator should know. */
    readonly warnings: readonly string[];
    /** What keeps it from being done. */
    readonly problems: readonly string[];
  };

/**
 * Examines the master and EC2, and plans. It changes nothing.
 *
 * @throws {UserError} when there is no GBrowse, or no image to start from
 * @throws {Ec2Error}
 */
export async function planImage(order: ImageOrder, ec2: Ec2, signal: AbortSignal): Promise<ImagePlan> {
  const { config, region, script } = order;
  const { instanceTypes, sshUser } = config.slave;
  const [survey, targets] = await Promise.all([surveyMaster(signal), targetsOf(ec2, instanceTypes)]);
  const { architecture } = targets;
  const base =
    order.from === undefined
      ? await findOfficialImage(ec2, survey.distribution, architecture)
      : await findGivenImage(ec2, order.from, sshUser, architecture);
  return {
    ...survey,
    ...targets,
    base,
    region,
    ...(script !== undefined && { script }),
    warnings: [...warningsOf(survey), ...architectureWarnings(targets, survey, process.arch)],
    problems: problemsOf(),
  };
}

/**
 * Examines this master.
 *
 * @throws {UserError} when it is no Debian or Ubuntu, or its GBrowse cannot be found or loaded
 */
export async function surveyMaster(signal: AbortSignal): Promise<MasterSurvey> {
  const distribution = await findDistribution();
  const found = await findGbrowse();
  const { installation, configuration } = found;
  const libraries = await perlLibrariesOfApache();
  const [installed, perl, trial] = await Promise.all([
    installedPackages(signal),
    surveyPerl(modulesNamedBy(configuration), libraries, signal),
    findTrialSource(found, signal),
  ]);
  const files = [...(await slaveProgram()), ...(await filesBelow([...perl.inc, ...pluginPath(found)]))];
  const directories = new Set([
    ...files.flatMap(it => [it.directory, ...it.files.slice(0, 1)]),
    ...perl.inc.filter(isSearched),
  ]);
  const owners = await ownersBelow([...directories], signal);
  const loaded = new Set(perl.loaded.flatMap(it => owners.get(it) ?? []));
  const packages = packagesToInstall(installed, loaded, driversOf(configuration));
  const copies = siteFiles(files, owners, new Set(await changedFiles(packages, [...directories], signal)));
  const own = installed.find(({ name }) => name === 'gbrowse');
  return {
    distribution,
    installation,
    gbrowse: { version: perl.version, ...(own !== undefined && { package: own.version }) },
    packages,
    copies: [...copies, ...(await preloadFile(found))],
    libraries,
    failed: perl.failed,
    ...(trial !== undefined && { trial }),
  };
}

function warningsOf({ failed, trial }: MasterSurvey): readonly string[] {
  return [
    ...(failed.length === 0
      ? []
      : [
          `data sources name modules that Perl cannot load on this master, so slaves will not have them either: ${failed.join(', ')}`,
        ]),
    ...(trial === undefined
      ? [
          'this master draws no data source whose data are files that can be copied for a trial, so no track is drawn before the image is kept; run "gbrowse-aws-balancer check --render" when the first slave is there',
        ]
      : []),
  ];
}

/** @param ownArchitecture this master's, as Node.js names it */
export function architectureWarnings(
  { architecture, instanceTypes, others }: Targets,
  { copies }: Pick<MasterSurvey, 'copies'>,
  ownArchitecture: string,
): readonly string[] {
  const libraries = copies.flatMap(it => it.files).filter(it => it.endsWith('.so'));
  const isOwn = ownArchitecture === (architecture === 'x86_64' ? 'x64' : architecture);
  return [
    ...(others.length === 0
      ? []
      : [
          `the image is for ${architecture}, as ${instanceTypes.join(', ')}; slaves of ${others.join(', ')} cannot start from it, so take these out of [SLAVE] instance_type`,
        ]),
    ...(isOwn || libraries.length === 0
      ? []
      : [
          `the image is for ${architecture} and this master is not, so compiled modules of the site do not work there: ${libraries.join(', ')}; let --script build them, or choose another first instance_type`,
        ]),
  ];
}

const PROGRAMS = ['rsync', 'ssh', 'ssh-keygen', 'perl'];

function problemsOf(): readonly string[] {
  return PROGRAMS.filter(it => findProgram(it) === undefined).map(it => missingProgram(it).message);
}
