import { failure } from '../../errors.ts';
import { counted } from '../../format/numbers.ts';
import { commandFailure, runCommand } from '../../os/command.ts';
import type { Ssh } from '../../staging/ssh.ts';
import type { Tools } from '../../staging/tools.ts';
import type { OwnScript } from '../order.ts';
import { upstreamVersion } from '../plan/packages.ts';
import type { ImagePlan } from '../plan/plan.ts';
import { archiveScript, installScript, ownScript, PRESENT_SCRIPT, settleScript } from './scripts.ts';

/** The packages in the archives of the image. */
export type Offered = {
  /** The version of each package that it has. */
  readonly packages: ReadonlyMap<string, string>;
  /** The version of GBrowse that the image has already. */
  readonly present?: string;
};

/** @param text lines `package NAME CANDIDATE`, `present VERSION` */
export function parseOffered(text: string): Offered {
  const packages = new Map<string, string>();
  let present: string | undefined;
  for (const line of text.split('\n')) {
    const [word, first, second] = line.trim().split(' ');
    if (word === 'present') present = first;
    if (word !== 'package' || first === undefined) continue;
    if (second !== undefined && second !== '' && second !== '(none)') packages.set(first, second);
  }
  return { packages, ...(present !== undefined && { present }) };
}

/**
 * The packages of this master that are installed on the image.
 *
 * @returns the packages, and those that the image's archive does not have
 * @throws {UserError} when slaves would have a different version of GBrowse
 */
export function judgeOffered(
  plan: Pick<ImagePlan, 'gbrowse' | 'packages'>,
  { packages, present }: Offered,
): { readonly install: readonly string[]; readonly missing: readonly string[] } {
  const own = plan.gbrowse.package;
  const offered = packages.get('gbrowse');
  if (own !== undefined && offered === undefined && present !== plan.gbrowse.version) {
    throw failure(
      `the image's package archive has no gbrowse; start from an image (--from) of this master's own release, or one that has GBrowse ${plan.gbrowse.version} already`,
    );
  }
  if (own !== undefined && offered !== undefined && upstreamVersion(own) !== upstreamVersion(offered)) {
    throw otherVersion(plan.gbrowse.version, `the image's package archive has gbrowse ${offered}`);
  }
  return {
    install: plan.packages.filter(it => packages.has(it)),
    missing: plan.packages.filter(it => !packages.has(it)),
  };
}

function otherVersion(version: string, what: string): Error {
  return failure(
    `this master has GBrowse ${version}, and ${what}: the two exchange frozen Perl data, so the versions must be the same; start from an image (--from) of this master's own release`,
  );
}

/**
 * Makes a staging instance like this master: packages, files that are in no package, the administrator's script, and
 * the services at boot.
 *
 * @throws {UserError}
 */
export async function prepareMachine(plan: ImagePlan, ssh: Ssh, tools: Tools): Promise<void> {
  const { report, phases, signal } = tools;
  report.say('Installing the packages');
  await phases.time('install the packages', async () => {
    const read = await ssh.script(archiveScript(plan.packages), { signal });
    if (read.status !== 0) throw archiveFailure(commandFailure('reading the package archive', read));
    const { install, missing } = judgeOffered(plan, parseOffered(read.stdout));
    if (missing.length > 0) {
      report.warn(
        `the image's package archive does not have ${missing.join(', ')}; if slaves need it, let --script install it`,
      );
    }
    const ended = await ssh.script(installScript(install), {
      signal,
      onOutput: text => report.progress(text.trim().split('\n').at(-1) ?? ''),
    });
    if (ended.status !== 0) throw commandFailure('installing the packages on the staging instance', ended);
  });
  await copyFiles(plan, ssh, tools);
  if (plan.script !== undefined) await runOwnScript(plan.script, ssh, tools);
  const present = parseOffered((await ssh.script(PRESENT_SCRIPT, { signal })).stdout).present;
  if (present !== plan.gbrowse.version) {
    throw otherVersion(
      plan.gbrowse.version,
      present === undefined ? 'the image has none that Perl can load' : `the image has GBrowse ${present}`,
    );
  }
  const settled = await ssh.script(settleScript(plan.libraries), { signal });
  if (settled.status !== 0) throw commandFailure('configuring the services of the image', settled);
}

function archiveFailure(error: Error): Error {
  return failure(
    `${error.message}; slaves need no access to the internet, but the staging instance does: use a subnet with a NAT gateway or public addresses, or an image (--from) whose apt uses a mirror in the VPC`,
    { cause: error },
  );
}

/** Files of the site keep their places, owners and rights. */
async function copyFiles({ copies }: ImagePlan, ssh: Ssh, { report, phases, signal }: Tools): Promise<void> {
  const files = copies.flatMap(it => it.files);
  if (files.length === 0) return;
  report.say(`Copying ${counted(files.length, 'file')} of the site`);
  await phases.time('copy the files of the site', async () => {
    const words = ['-a', '--numeric-ids', '--from0', '--files-from=-', `--rsync-path=${ssh.asRoot}rsync`];
    const ended = await runCommand(['rsync', ...words, '-e', ssh.rsh, '/', `${ssh.host}:/`], {
      input: files.map(it => `${it}\0`).join(''),
      signal,
    });
    if (ended.status !== 0) throw commandFailure('copying the files of the site', ended);
  });
}

async function runOwnScript(
  { file, text }: OwnScript,
  ssh: Ssh,
  { report, phases, signal }: Tools,
): Promise<void> {
  report.say(`Running ${file}`);
  await phases.time('the script', async () => {
    const ended = await ssh.script(ownScript(text), {
      signal,
      onOutput: said => report.detail(said.trimEnd()),
    });
    if (ended.status !== 0) throw commandFailure(`${file} on the staging instance`, ended);
  });
}
