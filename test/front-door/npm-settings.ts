import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { Machine } from '../packaging/fixtures/machine.ts';

/** On a tmpfs of the machine's: registries may want a token. */
const DIRECTORY = '/run/npm';
const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'].flatMap(name => [name, name.toLowerCase()]);

/** Why npm packages cannot be had here, or false. */
export function registryMissing(): string | false {
  try {
    execFileSync('npm', ['ping'], { stdio: 'ignore', timeout: 60_000 });
    return false;
  } catch {
    return "npm's registry does not answer (npm ping)";
  }
}

/** Gives a machine this one's npm settings: registry, certificates, proxies. Gives the shell command that sets them. */
export function handInNpmSettings(machine: Machine): string {
  const [user, global, registry, cafile] = ['userconfig', 'globalconfig', 'registry', 'cafile'].map(it =>
    execFileSync('npm', ['config', 'get', it], { encoding: 'utf8' }).trim(),
  );
  const lines = [global, user].map(file => (existsSync(file ?? '') ? readFileSync(file ?? '', 'utf8') : ''));
  lines.push(`registry=${registry}`);
  const environment = [`NPM_CONFIG_USERCONFIG=${DIRECTORY}/npmrc`];
  for (const [file, setting] of [
    [cafile, 'NPM_CONFIG_CAFILE'],
    [process.env.NODE_EXTRA_CA_CERTS, 'NODE_EXTRA_CA_CERTS'],
  ] as const) {
    if (file === undefined || !existsSync(file)) continue;
    machine.write(`${DIRECTORY}/${setting}.pem`, readFileSync(file, 'utf8'));
    environment.push(`${setting}=${DIRECTORY}/${setting}.pem`);
  }
  const named = [...lines.join('\n').matchAll(/\$\{(\w+)\}/g)].map(([, name = '']) => name);
  for (const name of [...PROXIES, ...named]) {
    const value = process.env[name];
    if (value !== undefined) environment.push(`${name}=${quoted(value)}`);
  }
  machine.write(`${DIRECTORY}/npmrc`, `${lines.join('\n')}\n`, 0o600);
  machine.write(`${DIRECTORY}/environment`, `export ${environment.join(' ')}\n`, 0o600);
  return `. ${DIRECTORY}/environment`;
}

function quoted(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}

/** The archive of an npm package, there until the test ends. */
export function npmPack(t: Pick<TestContext, 'after'>, name: string): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'npm-pack-'));
  t.after(() => rmSync(directory, { recursive: true }));
  execFileSync('npm', ['pack', '--pack-destination', directory, name], { stdio: 'ignore', cwd: directory });
  const [archive] = readdirSync(directory);
  if (archive === undefined) throw new Error(`npm pack ${name} made nothing`);
  return path.join(directory, archive);
}
