import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parseSettings, serviceSettings } from '../../src/master/service-settings.ts';

let directory: string;
before(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'check-'));
});
after(() => rmSync(directory, { recursive: true }));

function file(name: string, text: string): string {
  const place = path.join(directory, name);
  writeFileSync(place, text);
  return place;
}

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
