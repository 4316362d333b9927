/**
 * Makes `dist/gbrowse-aws-balancer`, one self-contained executable: the bundled program inside the Node binary that the
 * lock file pins. `node build/build.ts [x64|arm64]`
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile as write } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { bundle } from './bundle.ts';
import { nodePackage } from './node.mjs';
import { stripped } from './strip.ts';

type SeaTarget = { nodeRange: string; platform: 'linux'; arch: string; output: string };
type Sea = (
  entry: string,
  options: { targets: SeaTarget[]; seaConfig: Record<string, unknown> },
) => Promise<void>;

/**
 * V8's settings for a daemon that is mostly asleep, where memory counts and speed hardly does: a small young generation,
 * no optimizing compilers (the one for WebAssembly takes 9 MB for fetch's HTTP parser alone), no helper threads.
 */
const V8_FLAGS = [
  '--max-semi-space-size=1',
  '--optimize-for-size',
  '--no-opt',
  '--no-maglev',
  '--liftoff-only',
  '--single-threaded',
];

const root = path.resolve(import.meta.dirname, '..');
const arch = process.argv[2] ?? process.arch;
const native = arch === process.arch;
const output = path.join(root, 'dist', native ? 'gbrowse-aws-balancer' : `gbrowse-aws-balancer-${arch}`);
/** Made beside it and then moved, because an executable that runs cannot be overwritten. */
const unfinished = `${output}.new`;
const program = path.join(root, 'dist/program.cjs');

const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as {
  version: string;
};
await mkdir(path.join(root, 'dist'), { recursive: true });
await bundle(path.join(root, 'src/main.ts'), program, version);
await seedCache();
await makeExecutable();
await rename(unfinished, output);
process.stdout.write(`built ${path.relative(process.cwd(), output)} ${version} (linux-${arch})\n`);

/**
 * pkg looks for the base binary in its cache below HOME before it would download one. What it finds there is the Node
 * of the lock file, without its symbols (18 MB; a finished executable can no longer be stripped).
 */
async function seedCache(): Promise<void> {
  const home = path.join(root, 'dist/home');
  process.env.HOME = home;
  const name = `node-${process.version}-linux-${arch}`;
  const directory = path.join(home, '.pkg-cache/sea', name);
  const node = path.join(directory, 'bin/node');
  await rm(home, { recursive: true, force: true });
  await mkdir(path.dirname(node), { recursive: true });
  await write(node, stripped(await readFile(path.join(nodePackage(arch), 'bin/node'))), { mode: 0o755 });
  for (const marker of [`${node}.ok`, `${directory}.tar.gz`, `${directory}.tar.gz.ok`])
    await write(marker, '');
}

async function makeExecutable(): Promise<void> {
  const require = createRequire(import.meta.url);
  fixCodeCache(require('node:child_process'));
  const { default: sea } = require('@yao-pkg/pkg/lib-es5/sea.js') as { default: Sea };
  await sea(program, {
    targets: [{ nodeRange: `node${process.versions.node}`, platform: 'linux', arch, output: unfinished }],
    seaConfig: {
      disableExperimentalSEAWarning: true,
      useSnapshot: false,
      useCodeCache: native,
      // SIGUSR1 would open the debugger.
      execArgv: ['--disable-sigusr1', ...V8_FLAGS],
      // Else the caller's NODE_OPTIONS would be obeyed.
      execArgvExtension: 'none',
    },
  });
}

/**
 * pkg has Node make the code cache, and no option for how. V8 takes a cache only under the flags that it was made with, and
 * makes the same bytes every time only with the same random seed; and the program's path, which goes into the executable,
 * must not say where the project lies.
 */
function fixCodeCache(childProcess: { execFile: unknown }): void {
  type ExecFile = (file: string, args: readonly string[], ...rest: unknown[]) => unknown;
  const execFile = childProcess.execFile as ExecFile & { [promisify.custom]: ExecFile };
  const promised: ExecFile = (file, args, ...rest) => {
    const [option, config = ''] = args;
    if (option !== '--experimental-sea-config') return execFile[promisify.custom](file, args, ...rest);
    const settings: unknown = JSON.parse(readFileSync(config, 'utf8'));
    writeFileSync(config, JSON.stringify(Object.assign({}, settings, { main: path.basename(program) })));
    const cwd = path.dirname(program);
    return execFile[promisify.custom](file, ['--random-seed=1', ...V8_FLAGS, option, config], { cwd });
  };
  const callback: ExecFile = (...all) => execFile(...all);
  childProcess.execFile = Object.assign(callback, { [promisify.custom]: promised });
}
