import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { endpointOf } from '../../src/check/endpoint.ts';
import { inclusionOf } from '../../src/check/inclusion.ts';
import { parseSettings, serviceSettings } from '../../src/check/service-settings.ts';

let directory: string;
before(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'check-'));
  mkdirSync(path.join(directory, 'more'));
});
after(() => rmSync(directory, { recursive: true }));

function file(name: string, text: string): string {
  const place = path.join(directory, name);
  writeFileSync(place, text);
  return place;
}

describe('GBrowse.conf includes the farm file', () => {
  const cases: readonly (readonly [string, boolean])[] = [
    ['[GENERAL]\n#include renderfarm.conf\n', true],
    ['#INCLUDE "renderfarm.conf"\r\n', true],
    ["#include 'renderfarm.conf'", true],
    ['#include @DIR@/renderfarm.conf', true],
    ['#include render*.conf', true],
    ['#include more/farm.conf', true],
    ['[GENERAL]\nrenderfarm = 0\n', false],
    ['# #include renderfarm.conf\n', false],
    ['  #include renderfarm.conf\n', false],
    ['#include yeast_renderfarm.conf\n', false],
    ['#include more/*.txt\n', false],
    ['#includerenderfarm.conf\n', false],
  ];
  for (const [text, included] of cases) {
    test(`${JSON.stringify(text)}: ${included ? 'yes' : 'no'}`, async () => {
      file('more/farm.conf', '#include ../renderfarm.conf\n');
      const conf = file('GBrowse.conf', text.replace('@DIR@', directory));
      assert.equal((await inclusionOf(conf, path.join(directory, 'renderfarm.conf'))).included, included);
    });
  }

  test('a setting of the farm after it has the last word, one before has not', async () => {
    const farm = path.join(directory, 'renderfarm.conf');
    const after = file('GBrowse.conf', '[GENERAL]\n#include renderfarm.conf\nrenderfarm = 0\n');
    assert.deepEqual(await inclusionOf(after, farm), { included: true, overriddenAt: 3 });
    const earlier = file(
      'GBrowse.conf',
      '[GENERAL]\nrenderfarm = 0\n#include renderfarm.conf\nslave_timeout = 45\n',
    );
    assert.deepEqual(await inclusionOf(earlier, farm), { included: true });
  });

  test('a file that includes itself is read to an end', async () => {
    const conf = file('GBrowse.conf', '#include GBrowse.conf\n');
    assert.equal((await inclusionOf(conf, path.join(directory, 'renderfarm.conf'))).included, false);
  });
});

describe('the settings of the service', () => {
  const NAMES = ['USER', 'CONFFILE', 'ACCESS_KEY', 'SECRET_KEY', 'DAEMON_OPTS'] as const;
  const texts = [
    readFileSync(path.resolve(import.meta.dirname, '../../packaging/default'), 'utf8'),
    'USER=www-data\nCONFFILE="/etc/a b.conf" # mine\nSECRET_KEY=\'a/b+c=d\'\n',
    'USER=\n  export ACCESS_KEY=AKIA1\nACCESS_KEY=AKIA2\n#SECRET_KEY=no\n',
  ];
  for (const [at, text] of texts.entries()) {
    test(`are read as sh reads them (${at + 1})`, () => {
      const script = file('default', text);
      const said = execFileSync(
        'sh',
        ['-c', `. ${script}; printf '%s\\n' ${NAMES.map(name => `"$${name}"`).join(' ')}`],
        {
          encoding: 'utf8',
          env: { PATH: '/usr/bin:/bin' },
        },
      );
      const settings = parseSettings(text);
      assert.deepEqual(
        NAMES.map(name => settings[name] ?? ''),
        said.replace(/\n$/, '').split('\n'),
      );
    });
  }

  test('what the shell would have to work out is left out', () => {
    assert.deepEqual(parseSettings('USER=$(id -un)\nCONFFILE=`pwd`/x\nSECRET_KEY="$HOME"\n'), {});
  });

  test('where there is no such file there are none', async () => {
    assert.equal(await serviceSettings(path.join(directory, 'none')), undefined);
  });
});

test('a service of AWS answers where the settings say, else in its region', () => {
  const cases = [
    [{}, 'us-west-2', 'https://ec2.us-west-2.amazonaws.com'],
    [{}, 'cn-north-1', 'https://ec2.cn-north-1.amazonaws.com.cn'],
    [{ AWS_ENDPOINT_URL: 'http://a' }, 'us-west-2', 'http://a'],
    [{ AWS_ENDPOINT_URL: 'http://a', AWS_ENDPOINT_URL_EC2: 'http://b' }, 'us-west-2', 'http://b'],
  ] as const;
  for (const [env, region, expected] of cases) assert.equal(endpointOf('EC2', region, env), expected);
});
