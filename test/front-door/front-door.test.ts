import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { NODE_VERSION, nodePackage } from '../../build/node.mjs';
import { type Machine, startMachine } from '../packaging/fixtures/machine.ts';
import { type RootName, rootsMissing } from '../packaging/fixtures/roots.ts';
import { handInNpmSettings, npmPack, registryMissing } from './npm-settings.ts';

const project = path.resolve(import.meta.dirname, '../..');
const MINUTES = 60_000;

type Platform = {
  readonly name: string;
  readonly root: RootName;
  readonly prepare?: (t: TestContext, machine: Machine) => Promise<void>;
  /** Whether the package is made there, too: once is enough, it takes minutes. */
  readonly packages?: true;
};

/** The platforms that the README names, as their users have them: without anything else. */
const PLATFORMS: readonly Platform[] = [
  { name: "Debian 12 with Debian's Node 18 and npm 9", root: 'bookworm-node', packages: true },
  { name: "Debian 13 with Debian's Node 20 and npm 9", root: 'trixie-node' },
  { name: 'Debian 12 with Node 24 and the newest npm', root: 'bookworm', prepare: addNewestNpm },
];

describe('a new user, on a new machine, types what the README says', {
  skip: rootsMissing() || archiveMissing() || registryMissing(),
  concurrency: true,
}, () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'source-'));
  const archive = path.join(directory, 'source.tar');
  // Once for all: git locks its index meanwhile.
  before(() => archiveSource(archive));
  after(() => rmSync(directory, { recursive: true }));

  for (const { name, root, prepare, packages } of PLATFORMS) {
    const words = `npm ci && npm run demo${packages ? ' && npm run package' : ''}`;
    test(`${name}: ${words}`, { timeout: 20 * MINUTES }, async t => {
      const machine = await startMachine(t, { root, network: 'host' });
      const settings = handInNpmSettings(machine);
      await prepare?.(t, machine);
      machine.copyIn(archive, '/root/source.tar');
      await machine.must('mkdir /root/project && tar -xf /root/source.tar -C /root/project');
      t.diagnostic(await machine.must('echo "node $(node --version), npm $(npm --version)"'));

      const output = await machine.must(`${settings}; cd /root/project && { ${words}; } 2>&1`);
      assert.match(output, /fetching Node .* only once\n/);
      assert.match(output, /launched i-.* is ready after .*releasing slave.* 0 instances left; /s);
      assert.equal(
        await machine.must('cd /root/project && node build/with-node.mjs -p process.version'),
        `v${NODE_VERSION}\n`,
      );
      if (!packages) return;
      assert.match(output, /package: made dist\/gbrowse-aws-balancer_.*_.*\.deb /);
      await machine.must('cd /root/project && dpkg -i dist/gbrowse-aws-balancer_*.deb');
      assert.match(await machine.must('gbrowse-aws-balancer --version'), /^gbrowse-aws-balancer \d/);
    });
  }
});

async function addNewestNpm(t: TestContext, machine: Machine): Promise<void> {
  machine.copyIn(path.join(nodePackage(process.arch), 'bin/node'), '/usr/local/bin/node');
  machine.copyIn(npmPack(t, 'npm'), '/root/npm.tgz');
  await machine.must(`chmod 755 /usr/local/bin/node
    mkdir -p /usr/local/lib/node_modules/npm
    tar -xzf /root/npm.tgz -C /usr/local/lib/node_modules/npm --strip-components=1
    ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm`);
}

function archiveMissing(): string | false {
  return existsSync(path.join(project, '.git')) ? false : 'this is no git checkout';
}

/** Writes what a clone would have if everything here were committed. */
function archiveSource(archive: string): void {
  const git = (...args: readonly string[]) =>
    execFileSync('git', ['-c', `safe.directory=${project}`, ...args], {
      cwd: project,
      encoding: 'utf8',
    }).trim();
  // `stash create` fails where files were touched and not changed.
  const isChanged = git('status', '--porcelain', '--untracked-files=no') !== '';
  git('archive', '--output', archive, isChanged ? git('stash', 'create') : 'HEAD');
}
