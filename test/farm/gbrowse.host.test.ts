import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chownSync, cpSync, existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { findResidents, type Resident } from '../../src/farm/apache.ts';
import { createFarm } from '../../src/farm/create.ts';
import type { Farm } from '../../src/farm/farm.ts';
import { createReload } from '../../src/farm/reload.ts';
import { allProcesses, commandLineOf, findProcess } from '../../src/os/process.ts';
import { type Apache, apacheMissing, startApache } from '../peers/apache.ts';

const SCRIPTS = '/usr/lib/cgi-bin/gbrowse';
const SLAVE = 'http://10.0.0.5:8101';

function missing(): string | false {
  if (!existsSync(join(SCRIPTS, 'gbrowse'))) return 'GBrowse is not installed';
  if (process.getuid?.() !== 0) return 'only root sees what Apache runs as';
  const perl = spawnSync('perl', ['-MFCGI', '-MGD', '-e', '1']).status === 0;
  return apacheMissing('cgid', 'fcgid', 'perl') || (perl ? false : 'Perl has no FCGI or no GD');
}

/** GBrowse under /gb2 as CGI, /fgb2 as FastCGI, /mgb2 as mod_perl: Debian's own configuration, for another directory. */
const LINES = `
  ScriptSock "@DIR@/run/cgisock"
  FcgidIPCDir "@DIR@/run/fcgid"
  FcgidProcessTableFile "@DIR@/run/fcgid_shm"
  FcgidInitialEnv GBROWSE_CONF @DIR@/gbrowse
  ScriptAlias /gb2 ${SCRIPTS}
  <Directory "${SCRIPTS}">
    Options ExecCGI
    SetEnv GBROWSE_CONF @DIR@/gbrowse
    Require all granted
  </Directory>
  Alias /fgb2 ${SCRIPTS}
  <Location /fgb2>
    SetHandler fcgid-script
  </Location>
  Alias /mgb2 ${SCRIPTS}
  <Location /mgb2>
    SetHandler perl-script
    PerlResponseHandler ModPerl::Registry
    PerlOptions +ParseHeaders
  </Location>`;

/** On top of each page, the farm as that GBrowse has it in memory. */
const HEADER = `header = sub {
    my $farm = Bio::Graphics::Browser2->open_globals->setting('remote renderer');
    return "<p>FARM[$farm]</p>"; }
`;

/** A copy of GBrowse's configuration that writes nowhere but into the test's directory. */
function installGBrowse(directory: string): string {
  const config = join(directory, 'gbrowse');
  cpSync('/etc/gbrowse', config, { recursive: true });
  const own = join(directory, 'data');
  const conf = readFileSync(join(config, 'GBrowse.conf'), 'utf8')
    .replace(/^(config_base\s*=).*/m, `$1 ${config}`)
    .replace(/^(tmp_base\s*=).*/m, `$1 ${own}`)
    .replace(/^(persistent_base\s*=).*/m, `$1 ${own}`)
    .replace(/^(userdata_base\s*=).*/m, `$1 ${own}`)
    .replace(/^header =.*\n/m, HEADER);
  writeFileSync(join(config, 'GBrowse.conf'), conf);
  const [uid, gid] = spawnSync('sh', ['-c', 'id -u www-data; id -g www-data'], {
    encoding: 'utf8',
  }).stdout.split('\n');
  mkdirSync(own);
  chownSync(own, Number(uid), Number(gid));
  return join(config, 'renderfarm.conf');
}

describe('under a real Apache', { skip: missing() }, () => {
  let server: Apache;
  let file: string;

  before(async () => {
    server = await startApache({ modules: ['cgid', 'fcgid', 'perl'], lines: LINES.split('\n') });
    file = installGBrowse(server.directory);
  });
  after(() => server.stop());

  /** Those of this test's Apache alone. */
  function residents(now = Date.now()): readonly Resident[] {
    return findResidents(now).filter(({ apache }) => apache.pid === server.pid);
  }

  /** A farm as a balancer has it that was just started. */
  function farm(): Farm {
    return { ...createFarm({ file, reloadCommand: 'auto' }), reload: createReload(file, 'auto', residents) };
  }

  /** What a GBrowse that is asked for a page has as its farm. */
  async function farmSeenBy(path: string): Promise<string | undefined> {
    const page = await (await fetch(`${server.origin}/${path}/gbrowse/yeast/`)).text();
    const [, list] = /FARM\[\s*(.*?)\s*\]/.exec(page) ?? [];
    assert.ok(list !== undefined, page.slice(0, 300) + server.errorLog());
    return list;
  }

  const resumptions = () => server.errorLog().split('resuming normal operations').length - 1;

  test('a GBrowse that runs as CGI sees a new list by itself, and Apache is left alone', async () => {
    await farm().write([]);
    const page = farmSeenBy('gb2');
    let running = false;
    while (!running) {
      await sleep(1);
      const all = [...allProcesses().values()].filter(({ name }) => name === 'gbrowse');
      running = all.some(
        ({ pid, parent }) => commandLineOf(pid).includes(join(SCRIPTS, 'gbrowse')) && parent !== server.pid,
      );
    }
    assert.deepEqual(residents(), [], 'while it works on a request');
    await page;

    const balancer = farm();
    await balancer.write([SLAVE]);
    assert.equal(await balancer.reload(), undefined);
    assert.equal(await farmSeenBy('gb2'), SLAVE);
    assert.equal(resumptions(), 1);
  });

  for (const { path, runsAs, says } of [
    {
      path: 'fgb2',
      runsAs: 'FastCGI',
      says: /^Apache \(pid (\d+)\) was restarted gracefully: GBrowse runs as FastCGI$/,
    },
    {
      path: 'mgb2',
      runsAs: 'mod_perl',
      says: /^Apache \(pid (\d+)\) was restarted gracefully: GBrowse runs as mod_perl$/,
    },
  ] as const) {
    test(`a GBrowse that runs as ${runsAs} sees a new list after a graceful restart of Apache`, async () => {
      const before = resumptions();
      await farm().write([]);
      assert.equal(await farmSeenBy(path), '');
      const found = residents();
      assert.deepEqual([...new Set(found.map(one => one.runsAs))], [runsAs]);

      const balancer = farm();
      await balancer.write([SLAVE]);
      const [, pid] = says.exec((await balancer.reload()) ?? '') ?? [];
      assert.equal(pid, String(server.pid));
      assert.equal(await balancer.reload(), undefined, 'once');
      await server.resumed(before + 1);
      const gone = () => findProcess(found[0]?.process.pid ?? 0) === undefined;
      while (!gone()) await sleep(20);
      assert.equal(await farmSeenBy(path), SLAVE);

      // Another balancer finds a GBrowse that is younger than the list.
      utimesSync(file, new Date(), new Date(Date.now() - 60_000));
      assert.equal(residents().length > 0, true);
      assert.equal(await farm().reload(), undefined);
      assert.equal(resumptions(), before + 1);
      await server.graceful();
    });
  }

  test('an Apache whose configuration has a mistake is not told, and goes on', async () => {
    await farm().write([]);
    await farmSeenBy('mgb2');
    const conf = join(server.directory, 'apache2.conf');
    const good = readFileSync(conf, 'utf8');
    const balancer = farm();
    await balancer.write([SLAVE]);
    writeFileSync(conf, `${good}\nNoSuchDirective\n`);
    await assert.rejects(balancer.reload(), {
      name: 'UserError',
      message: /was not told to reload.*-t\) failed with exit status 1: .*NoSuchDirective/,
    });
    writeFileSync(conf, good);
    const before = resumptions();
    assert.match((await balancer.reload()) ?? '', /restarted gracefully/, 'it is tried again');
    await server.resumed(before + 1);
  });
});
