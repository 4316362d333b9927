import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { SLAVE_TOKEN } from '../../src/spot/user-data.ts';
import { freePort } from '../peers/free-port.ts';
import { until } from '../peers/until.ts';

/** Why there can be no real slave here, or false. */
export function slaveMissing(): string | false {
  const loaded = spawnSync('perl', ['-MBio::Graphics::Browser2::Render::Slave', '-e', '1']).status === 0;
  return loaded ? false : 'GBrowse is not installed';
}

/** A real `gbrowse_slave` on a port of its own, which writes into a directory; it ends with the test. */
export async function startSlave(
  t: Pick<TestContext, 'after'>,
  directory: string,
  prefork: number,
  { env = {}, verbosity = 2 }: { readonly env?: NodeJS.ProcessEnv; readonly verbosity?: number } = {},
) {
  const port = await freePort();
  const own = (name: string) => path.join(directory, name);
  mkdirSync(own('settings'));
  // As user-data does it.
  const token = ['-MStorable=lock_store', '-e', 'lock_store({}, shift)', own(`settings/${SLAVE_TOKEN}`)];
  spawnSync('perl', token);
  const words = [
    ...[
      '--port',
      String(port),
      '--prefork',
      String(prefork),
      '--verbose',
      String(verbosity),
      '--tmp',
      own('settings'),
    ],
    ...['--log', own('log'), '--pid', own('pid')],
  ];
  const { status, stderr } = spawnSync('gbrowse_slave', words, { env: { ...process.env, ...env } });
  if (status !== 0) throw new Error(`no slave: ${stderr}`);
  const pid = await until('the slave has begun', () => {
    const text = existsSync(own('pid')) ? readFileSync(own('pid'), 'utf8') : '';
    return /^\d+$/.test(text) ? Number(text) : undefined;
  });
  t.after(() => process.kill(-pid, 'SIGKILL'));
  return { port, url: `http://127.0.0.1:${port}`, log: () => readFileSync(own('log'), 'utf8') };
}
