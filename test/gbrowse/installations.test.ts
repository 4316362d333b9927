import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { masterOfApache, namedByApache, perlLibrariesOfApache } from '../../src/gbrowse/apache.ts';
import { findInstallations } from '../../src/gbrowse/installations.ts';
import { filesOf } from './directory.ts';

describe("GBROWSE_CONF in Apache's configuration", () => {
  const lines = {
    'SetEnv GBROWSE_CONF /srv/gb': '/srv/gb',
    '  setenv GBROWSE_CONF "/srv/gb"': '/srv/gb',
    'FcgidInitialEnv GBROWSE_CONF /srv/gb': '/srv/gb',
    'PerlSetEnv GBROWSE_CONF /srv/gb': '/srv/gb',
    'FastCgiConfig -idle-timeout 600 -initial-env GBROWSE_CONF=/srv/gb -x': '/srv/gb',
    'FastCgiConfig -idle-timeout 600 \\\n  -initial-env GBROWSE_CONF=/srv/gb': '/srv/gb',
    'export GBROWSE_CONF=/srv/gb': '/srv/gb',
    '# SetEnv GBROWSE_CONF /srv/gb': undefined,
    'SetEnv GBROWSE_CONFIG /srv/gb': undefined,
    'SetEnv GBROWSE_CONF conf': undefined,
  };
  for (const [line, directory] of Object.entries(lines)) {
    test(`${JSON.stringify(line)}: ${directory ?? 'none'}`, async t => {
      const file = path.join(filesOf(t, { 'apache2.conf': `ServerName x\n${line}\n` }), 'apache2.conf');
      assert.deepEqual(
        (await namedByApache([file])).map(named => named.directory),
        directory === undefined ? [] : [directory],
      );
    });
  }

  test('is found in the files that it includes, with their lines, each file once', async t => {
    const root = filesOf(t, {
      'apache2.conf':
        'IncludeOptional conf-enabled/*.conf\nInclude sites\nInclude apache2.conf\nInclude none.conf\n',
      'conf-enabled/gbrowse.conf': '<Directory "/x">\n  SetEnv GBROWSE_CONF "/etc/a"\n</Directory>\n',
      'sites/000': 'SetEnv GBROWSE_CONF /etc/b\n',
    });
    assert.deepEqual(await namedByApache([path.join(root, 'apache2.conf')]), [
      { file: path.join(root, 'conf-enabled/gbrowse.conf'), number: 2, directory: '/etc/a' },
      { file: path.join(root, 'sites/000'), number: 1, directory: '/etc/b' },
    ]);
  });

  test("is found below Red Hat's server root", async t => {
    const root = filesOf(t, {
      'httpd/conf/httpd.conf': 'ServerRoot "@DIR@/httpd"\nInclude conf.d/*.conf\n',
      'httpd/conf.d/gbrowse.conf': 'FcgidInitialEnv GBROWSE_CONF /etc/gbrowse2\n',
    });
    const found = await namedByApache([path.join(root, 'httpd/conf/httpd.conf')]);
    assert.deepEqual(
      found.map(({ directory }) => directory),
      ['/etc/gbrowse2'],
    );
  });
});

test("PERL5LIB in Apache's configuration gives the directories of modules, each once, relative ones left out", async t => {
  const root = filesOf(t, {
    'apache2.conf': 'Include gbrowse.conf\nFcgidInitialEnv PERL5LIB /srv/perl:/srv/more:lib\n',
    'gbrowse.conf': 'SetEnv PERL5LIB "/srv/perl"\n# SetEnv PERL5LIB /srv/none\n',
  });
  assert.deepEqual((await perlLibrariesOfApache([path.join(root, 'apache2.conf')])).toSorted(), [
    '/srv/more',
    '/srv/perl',
  ]);
});

describe('the GBrowses of a machine', () => {
  const FILES = { 'a/GBrowse.conf': '', 'b/GBrowse.conf': '', 'c/GBrowse.conf': '', 'empty/x': '' };

  function surroundings(root: string, env: NodeJS.ProcessEnv, named: readonly string[]) {
    const apache = async () =>
      named.map(name => ({ file: '/etc/apache2/x.conf', number: 7, directory: path.join(root, name) }));
    return { env, apache, places: [path.join(root, 'b'), path.join(root, 'c')] };
  }

  test("the environment's comes first, then Apache's; the usual places only without these", async t => {
    const root = filesOf(t, FILES);
    const env = { GBROWSE_CONF: path.join(root, 'a') };
    const directories = async (...args: [NodeJS.ProcessEnv, readonly string[]]) =>
      (await findInstallations(surroundings(root, ...args))).installations.map(({ directory }) =>
        path.basename(directory),
      );
    assert.deepEqual(await directories({}, []), ['b', 'c']);
    assert.deepEqual(await directories({}, ['c', 'empty', 'a']), ['c', 'a']);
    assert.deepEqual(await directories(env, ['c', 'a']), ['a', 'c']);
    assert.deepEqual(await directories({ GBROWSE_CONF: '' }, ['empty']), ['b', 'c']);
  });

  test('one that has two names counts once', async t => {
    const root = filesOf(t, FILES);
    symlinkSync(path.join(root, 'a'), path.join(root, 'link'));
    const { installations } = await findInstallations(surroundings(root, {}, ['link', 'a']));
    assert.deepEqual(installations, [
      {
        directory: path.join(root, 'link'),
        file: path.join(root, 'link/GBrowse.conf'),
        namedBy: 'GBROWSE_CONF in /etc/apache2/x.conf:7',
      },
    ]);
  });

  test('its main file is what GBROWSE_MASTER names, of the environment before that of Apache', async t => {
    const root = filesOf(t, { 'a/GBrowse.conf': '', 'a/site.conf': '', 'b/other.conf': '' });
    const files = async (env: NodeJS.ProcessEnv, apacheMaster?: string) => {
      const { installations } = await findInstallations({
        env,
        places: [path.join(root, 'a'), path.join(root, 'b')],
        apache: () => Promise.resolve([]),
        apacheMaster: () => Promise.resolve(apacheMaster),
      });
      return installations.map(({ file }) => path.relative(root, file));
    };
    assert.deepEqual(await files({}), ['a/GBrowse.conf']);
    assert.deepEqual(await files({}, 'site.conf'), ['a/site.conf']);
    assert.deepEqual(await files({ GBROWSE_MASTER: 'other.conf' }, 'site.conf'), ['b/other.conf']);
    await assert.rejects(files({ GBROWSE_CONF: path.join(root, 'a'), GBROWSE_MASTER: 'other.conf' }), {
      message: /and there is no readable other\.conf/,
    });
    const apache = filesOf(t, {
      'apache2.conf': 'Include x.conf\n',
      'x.conf': 'SetEnv GBROWSE_MASTER "my.conf"\n',
    });
    assert.equal(await masterOfApache([path.join(apache, 'apache2.conf')]), 'my.conf');
  });

  test('an environment that names a directory without GBrowse.conf is an error', async t => {
    const root = filesOf(t, FILES);
    const env = { GBROWSE_CONF: path.join(root, 'empty') };
    await assert.rejects(findInstallations(surroundings(root, env, [])), {
      name: 'UserError',
      message: /GBROWSE_CONF of the environment is .*empty, and there is no readable GBrowse\.conf/,
    });
  });
});
