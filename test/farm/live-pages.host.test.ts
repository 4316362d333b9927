import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { withLive } from '../../src/farm/live.ts';
import { createBrowser } from '../cloud/gbrowse/browser.ts';
import { type RunsAs, type Site, siteMissing, startSite } from '../cloud/gbrowse/site.ts';
import { darkPort } from '../peers/dark-port.ts';
import { freePort } from '../peers/free-port.ts';

const TIMEOUT = 240_000;

type Live = { readonly site: Site; put(...slaves: string[]): void; look(): Promise<number> };

/** Debian's GBrowse as it is, its CachedTrack too, with the line in its farm file. */
async function startLive(t: TestContext, runsAs: RunsAs): Promise<Live> {
  const site = await startSite(runsAs);
  t.after(() => site.stop());
  rmSync(path.join(site.apache.directory, 'perl'), { recursive: true });
  const list = path.join(site.config, 'slaves');
  writeFileSync(site.farmFile, withLive(readFileSync(site.farmFile, 'latin1'), list), 'latin1');
  const browser = createBrowser(site.page);
  let from = 1_000;
  return {
    site,
    put(...slaves) {
      writeFileSync(`${list}.new`, slaves.join('\n'));
      renameSync(`${list}.new`, list);
    },
    /** Looks at a region that nobody has looked at before; how long its slowest track took, ms. */
    async look() {
      from += 3_000;
      const { tracks } = await browser.visit(`chrI:${from}..${from + 20_000}`);
      assert.ok(tracks.length > 0, site.apache.errorLog());
      assert.deepEqual(
        tracks.filter(it => it.outcome !== 'delivered'),
        [],
        site.apache.errorLog().slice(-3000),
      );
      return Math.max(...tracks.map(it => it.took));
    },
  };
}

/** A slave of GBrowse's on this machine: its address, and how often it has drawn. */
async function startSlave(
  t: TestContext,
  directory: string,
): Promise<{ url: string; renders(): number; drew(): Promise<void> }> {
  const port = await freePort();
  const [log, pidfile] = ['log', 'pid'].map(it => path.join(directory, `slave.${it}`)) as [string, string];
  for (const file of [log, pidfile]) {
    writeFileSync(file, '');
    chmodSync(file, 0o666);
  }
  const rights = ['--reuid=www-data', '--regid=www-data', '--init-groups'];
  const options = [
    '--port',
    String(port),
    '--prefork',
    '3',
    '--verbose',
    '3',
    '--logfile',
    log,
    '--pidfile',
    pidfile,
  ];
  spawn('setpriv', [...rights, 'gbrowse_slave', ...options], { stdio: 'ignore', detached: true, cwd: '/' });
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; (await fetch(url, { method: 'HEAD' }).catch(() => undefined)) === undefined; tries++) {
    assert.ok(tries < 200, readFileSync(log, 'utf8'));
    await sleep(100);
  }
  const pid = Number(readFileSync(pidfile, 'utf8'));
  t.after(() => process.kill(-pid, 'SIGKILL'));
  const said = () => readFileSync(log, 'utf8');
  const renders = () => said().split('operation=render_tracks; response=200').length - 1;
  return {
    url,
    renders,
    /** It says so after it has answered. */
    async drew() {
      for (let tries = 0; renders() === 0; tries++) {
        assert.ok(tries < 100, `the slave has not drawn: ${said()}`);
        await sleep(100);
      }
    },
  };
}

describe('pages of a real GBrowse that follows the list', { timeout: 3 * TIMEOUT }, () => {
  for (const runsAs of ['CGI', 'FastCGI', 'mod_perl'] as const) {
    test(`as ${runsAs}: the same list of slaves at once, and no slave's death is an error`, {
      skip: process.getuid?.() === 0 ? siteMissing(runsAs) : 'needs root',
      timeout: TIMEOUT,
    }, async t => {
      const { site, put, look } = await startLive(t, runsAs);
      await look();
      const slave = await startSlave(t, site.apache.directory);
      put(slave.url);
      await look();
      await slave.drew();
      // A slave that refuses, alone and beside one that works.
      put('http://127.0.0.1:9');
      const alone = await look();
      put('http://127.0.0.1:9', slave.url);
      await look();
      // One whose host is gone, still in the list.
      put(`http://127.0.0.1:${await darkPort(t)}`);
      const dark = await look();
      // One that accepts connections and says nothing; the balancer takes it out of the list.
      const asked: string[] = [];
      const silent = createServer(socket => {
        socket.on('error', () => {});
        socket.once('data', first => asked.push(first.toString('latin1').split(' ')[0] ?? ''));
      }).listen(0, '127.0.0.1');
      t.after(() => silent.close());
      await once(silent, 'listening');
      const address = silent.address();
      assert.ok(typeof address === 'object' && address !== null);
      put(`http://127.0.0.1:${address.port}`);
      const visit = look();
      await sleep(4_000);
      put(slave.url);
      const hanging = await visit;
      assert.ok(asked.includes('POST'), asked.join());
      // Known to be silent: it is only probed.
      asked.length = 0;
      put(`http://127.0.0.1:${address.port}`);
      const known = await look();
      assert.deepEqual([...new Set(asked)], ['HEAD']);
      put();
      await look();
      const drawn = slave.renders();
      await look();
      assert.equal(slave.renders(), drawn, 'an empty list draws locally');
      t.diagnostic(
        `slowest track: ${alone} ms with a dead slave alone, ${dark} ms with a dark one, ${hanging} ms with a hanging one, ${known} ms when that is known`,
      );
    });
  }
});
