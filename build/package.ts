/**
 * Makes `dist/gbrowse-aws-balancer_VERSION_ARCH.deb`, the executable included.
 * `node build/package.ts [amd64|arm64]`
 */
import { execFileSync } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { nodePackage } from './node.mjs';
import { buildTime } from './package/build-time.ts';
import { bundledFiles } from './package/bundled-files.ts';
import { copyrightFile } from './package/copyright.ts';
import { makeDeb } from './package/deb.ts';

const root = path.resolve(import.meta.dirname, '..');
const architecture = architectureOf(process.argv[2] ?? process.arch);
const nodeArch = architecture === 'amd64' ? 'x64' : 'arm64';
const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as {
  version: string;
};
const output = path.join(root, `dist/gbrowse-aws-balancer_${version}_${architecture}.deb`);

say(`1 of 3: the executable for ${architecture}`);
execFileSync(process.execPath, [path.join(root, 'build/build.ts'), nodeArch], { stdio: 'inherit' });
say('2 of 3: licences of what is in it');
const copyright = await copyrightFile(root, await bundledFiles(root), nodePackage(nodeArch));
say('3 of 3: the package (compressing takes a minute or two)');
const changelog = await readFile(path.join(root, 'CHANGELOG.md'), 'utf8');
await makeDeb({
  binary: path.join(root, `dist/gbrowse-aws-balancer${nodeArch === process.arch ? '' : `-${nodeArch}`}`),
  architecture,
  version,
  epoch: await buildTime(root, changelog, version),
  changelog,
  copyright,
  output,
});
const megabytes = ((await stat(output)).size / 1e6).toFixed(1);
say(`made ${path.relative(process.cwd(), output)} (${megabytes} MB)`);

function architectureOf(name: string): 'amd64' | 'arm64' {
  if (name === 'arm64') return 'arm64';
  if (name === 'amd64' || name === 'x64') return 'amd64';
  throw new Error(`There is no Node for ${name}: expected amd64 or arm64`);
}

function say(message: string): void {
  process.stdout.write(`package: ${message}\n`);
}
