import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, copyFile, lstat, lutimes, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { debianChangelog } from './changelog.ts';
import { commandPage, GENERATED_PAGES, mainTemplate } from './command-page.ts';
import { bashCompletion, fishCompletion, zshCompletion } from './completions.ts';
import { exampleIamPolicy } from './iam-policy.ts';
import { manualPage } from './manual.ts';

const NAME = 'gbrowse-aws-balancer';
const MAINTAINER = `The ${NAME} developers <${NAME}@users.noreply.github.com>`;
/** The places of what postinst writes; not every Debian has an /etc/init.d any more. */
const DIRECTORIES = ['etc/default', 'etc/gbrowse2', 'etc/init.d', `var/log/${NAME}`, `var/lib/${NAME}`];

const packaging = path.resolve(import.meta.dirname, '../../packaging');

/** The strongest of xz takes 65 MB of memory to unpack, and every dpkg since 2012 understands it. */
const LEVEL = { xz: ['-z9', '-Sextreme'], gzip: ['-z1'], none: [] } as const;

export type DebOptions = {
  /** The executable. */
  readonly binary: string;
  /** Debian's name for what it runs on. */
  readonly architecture: 'amd64' | 'arm64';
  readonly version: string;
  /** The time of all that is in it: seconds since 1970. */
  readonly epoch: number;
  /** CHANGELOG.md. */
  readonly changelog: string;
  /** The copyright file. */
  readonly copyright: string;
  /** The .deb to write. */
  readonly output: string;
  /** Without it: xz, which takes a minute or two; the others are faster. */
  readonly compression?: 'xz' | 'gzip' | 'none';
};

/** A file of the package: what is in it (or which file it is), and its mode if that is not 0644. */
type Content =
  | { readonly text: string | Buffer; readonly mode?: number }
  | { readonly file: string; readonly mode?: number };

/**
 * Makes the Debian package with dpkg-deb alone, out of `packaging/` and what is generated from the program's tables. The
 * same options give the same bytes.
 */
export async function makeDeb(options: DebOptions): Promise<void> {
  const { output, compression = 'xz', epoch } = options;
  const tree = `${output}.tree`;
  await rm(tree, { recursive: true, force: true });
  const files = await contents(options);
  for (const directory of DIRECTORIES) {
    await mkdir(path.join(tree, directory), { recursive: true });
  }
  for (const [name, content] of Object.entries(files)) await put(path.join(tree, name), content);
  const control = await controlFiles(tree, options);
  for (const [name, content] of Object.entries(control)) await put(path.join(tree, 'DEBIAN', name), content);
  await setAttributes(tree, epoch);
  execFileSync(
    'dpkg-deb',
    // One thread: what several make of it depends on the machine.
    [
      '--root-owner-group',
      `-Z${compression}`,
      ...LEVEL[compression],
      '--threads-max=1',
      '--build',
      tree,
      output,
    ],
    { env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch) }, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  await rm(tree, { recursive: true, force: true });
}

async function contents(options: DebOptions): Promise<Record<string, Content>> {
  const { binary, version, epoch, changelog, copyright } = options;
  const released = new Date(epoch * 1000);
  const edition = { version, date: released.toISOString().slice(0, 10) };
  const doc = `usr/share/doc/${NAME}`;
  const example = shipped('aws_balancer.conf');
  const page = async (name: string) =>
    gzipped(manualPage(await readFile(path.join(packaging, 'man', name), 'utf8'), edition));
  const main = await readFile(path.join(packaging, 'man', `${NAME}.1`), 'utf8');
  const commandPages = GENERATED_PAGES.map(
    name => [`usr/share/man/man1/${NAME}-${name}.1.gz`, gzipped(commandPage(name, main, edition))] as const,
  );
  return {
    [`usr/bin/${NAME}`]: { file: binary, mode: 0o755 },
    [`usr/lib/${NAME}/settings`]: shipped('settings'),
    [`usr/lib/${NAME}/service`]: shipped('service', 0o755),
    [`usr/lib/systemd/system/${NAME}.service`]: shipped(`${NAME}.service`),
    [`etc/logrotate.d/${NAME}`]: shipped('logrotate'),
    [`usr/share/${NAME}/init`]: shipped('init', 0o755),
    [`usr/share/${NAME}/default`]: shipped('default'),
    [`usr/share/${NAME}/aws_balancer.conf`]: example,
    [`usr/share/man/man1/${NAME}.1.gz`]: gzipped(manualPage(mainTemplate(main), edition)),
    ...Object.fromEntries(commandPages),
    [`usr/share/man/man1/${NAME}-sync.1.gz`]: await page(`${NAME}-sync.1`),
    'usr/share/man/man5/aws_balancer.conf.5.gz': await page('aws_balancer.conf.5'),
    [`usr/share/man/man7/${NAME}-costs.7.gz`]: await page(`${NAME}-costs.7`),
    [`usr/share/man/man7/${NAME}-glossary.7.gz`]: await page(`${NAME}-glossary.7`),
    [`usr/share/man/man7/${NAME}-migration.7.gz`]: await page(`${NAME}-migration.7`),
    [`usr/share/bash-completion/completions/${NAME}`]: { text: bashCompletion() },
    [`usr/share/zsh/vendor-completions/_${NAME}`]: { text: zshCompletion() },
    [`usr/share/fish/vendor_completions.d/${NAME}.fish`]: { text: fishCompletion() },
    [`usr/share/lintian/overrides/${NAME}`]: shipped('lintian-overrides'),
    [`${doc}/copyright`]: { text: copyright },
    [`${doc}/changelog.gz`]: gzipped(
      debianChangelog(changelog, {
        version,
        date: released.toUTCString().replace('GMT', '+0000'),
        maintainer: MAINTAINER,
      }),
    ),
    [`${doc}/README.Debian`]: shipped('README.Debian'),
    [`${doc}/examples/aws_balancer.conf`]: example,
    [`${doc}/examples/prometheus-alerts.yml`]: shipped('prometheus/alerts.yml'),
    [`${doc}/examples/grafana-dashboard.json`]: shipped('prometheus/grafana-dashboard.json'),
    [`${doc}/examples/iam-policy.json`]: {
      text: exampleIamPolicy(),
    },
  };
}

async function controlFiles(
  tree: string,
  { version, architecture }: DebOptions,
): Promise<Record<string, Content>> {
  const { size, sums } = await measure(tree);
  const control = {
    Package: NAME,
    Version: version,
    Architecture: architecture,
    Maintainer: MAINTAINER,
    'Installed-Size': String(size),
    // dpkg-divert in preinst, update-rc.d and invoke-rc.d: both are there on every Debian that has libc6 2.28.
    'Pre-Depends': 'init-system-helpers (>= 1.54~)',
    // What Node's executable is linked with; test/packaging compares. LSB's functions came from lsb-base once.
    Depends:
      'libc6 (>= 2.28), libgcc-s1 (>= 3.4), libstdc++6 (>= 8), adduser, sysvinit-utils (>= 3.05-4~) | lsb-base (>= 3.0-6)',
    // sync: copies the databases to the slaves' volume.
    Recommends: 'openssh-client, rsync, logrotate',
    Suggests: 'apache2, gbrowse',
    Enhances: 'gbrowse',
    Section: 'science',
    Priority: 'optional',
    Description: [
      'render farm of EC2 spot instances for GBrowse',
      ' GBrowse, the genome browser, can hand the rendering of its tracks to other',
      ' machines. This daemon runs on the GBrowse server: it reads the load from',
      " Apache's mod_status, launches and releases EC2 spot instances according to a",
      " load table, and keeps GBrowse's renderfarm.conf true. It replaces the Perl",
      ' balancer that GBrowse comes with, and reads the same configuration file.',
    ].join('\n'),
  };
  return {
    control: {
      text: `${Object.entries(control)
        .map(([field, value]) => `${field}: ${value}`)
        .join('\n')}\n`,
    },
    md5sums: { text: sums },
    conffiles: { text: `/etc/logrotate.d/${NAME}\n` },
    triggers: shipped('triggers'),
    ...Object.fromEntries(
      ['preinst', 'postinst', 'prerm', 'postrm'].map(name => [name, shipped(name, 0o755)]),
    ),
  };
}

function shipped(name: string, mode?: number): Content {
  return { file: path.join(packaging, name), ...(mode !== undefined && { mode }) };
}

function gzipped(text: string): Content {
  return { text: gzipSync(text, { level: 9 }) };
}

async function put(place: string, content: Content): Promise<void> {
  await mkdir(path.dirname(place), { recursive: true });
  if ('file' in content) await copyFile(content.file, place);
  else await writeFile(place, content.text);
  await chmod(place, content.mode ?? 0o644);
}

/** `Installed-Size` (KiB, as dpkg-gencontrol counts) and `md5sums`. */
async function measure(tree: string): Promise<{ size: number; sums: string }> {
  let size = 0;
  const sums: string[] = [];
  for (const name of await everythingIn(tree)) {
    const stats = await lstat(path.join(tree, name));
    size += stats.isDirectory() ? 1 : Math.ceil(stats.size / 1024);
    if (!stats.isFile() || name.startsWith('etc/')) continue;
    const sum = createHash('md5').update(await readFile(path.join(tree, name)));
    sums.push(`${sum.digest('hex')}  ${name}\n`);
  }
  return { size, sums: sums.join('') };
}

async function everythingIn(tree: string): Promise<readonly string[]> {
  return (await readdir(tree, { recursive: true })).sort();
}

/** Modes and times that do not depend on who builds it, and when. */
async function setAttributes(tree: string, epoch: number): Promise<void> {
  for (const name of ['', ...(await everythingIn(tree))].reverse()) {
    const place = path.join(tree, name);
    if ((await lstat(place)).isDirectory()) await chmod(place, 0o755);
    await lutimes(place, epoch, epoch);
  }
}
