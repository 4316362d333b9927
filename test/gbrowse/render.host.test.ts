import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { parseRendering, renderOne } from '../../src/gbrowse/render.ts';
import { freePort } from '../peers/free-port.ts';
import { filesOf } from './directory.ts';
import { slaveMissing, startSlave } from './real-slave.ts';

const DATA = '/var/lib/gbrowse/databases/yeast_chr1+2';
const skip = slaveMissing() || (existsSync(DATA) ? false : "GBrowse's demonstration data are not installed");
const timeLimit = 60_000;

/** GBrowse.conf with one data source of Debian's, and others that cannot be drawn. */
function site(t: Parameters<typeof filesOf>[0]): string {
  const directory = filesOf(t, {
    'GBrowse.conf': `[GENERAL]
config_base = @DIR@
tmp_base = @DIR@/tmp
persistent_base = @DIR@/tmp
db_base = /var/lib/gbrowse/databases
[yeast]
description = yeast
path = yeast_simple.conf
[gone]
description = its data are elsewhere
path = gone.conf
`,
    'tmp/.keep': '',
    'gone.conf': `[GENERAL]
database = a
[a:database]
db_adaptor = Bio::DB::SeqFeature::Store
db_args = -adaptor memory -dir @DIR@/none
[Genes]
feature = gene
glyph = generic
`,
  });
  cpSync('/etc/gbrowse/yeast_simple.conf', path.join(directory, 'yeast_simple.conf'));
  spawnSync('chmod', ['-R', 'a+rwX', directory]);
  return directory;
}

const at = (directory: string) => ({ directory, file: path.join(directory, 'GBrowse.conf') });

describe('one track of a data source is drawn', { skip }, () => {
  test('on this machine where there is no slave', async t => {
    const drawn = await renderOne(at(site(t)), 'yeast', { timeLimit });
    assert.equal(drawn.error, undefined);
    assert.equal(drawn.track, 'Genes');
    assert.ok((drawn.bytes ?? 0) > 1_000, JSON.stringify(drawn));
  });

  test('through a real slave; what the slave lacks is an error', async t => {
    const directory = site(t);
    const dark = await freePort();
    const slave = await startSlave(t, path.join(directory, 'tmp'), 2);
    const drawn = await renderOne(at(directory), 'yeast', { slave: slave.url, timeLimit });
    assert.ok((drawn.bytes ?? 0) > 1_000, `${JSON.stringify(drawn)} ${slave.log()}`);
    assert.match(slave.log(), /operation=render_tracks; response=200/);
    const refused = await renderOne(at(directory), 'yeast', { slave: `http://127.0.0.1:${dark}`, timeLimit });
    assert.match(refused.error ?? '', /the slave answers: 500 .*refused/);
  });

  test('data that are not there, and a source that is not, are errors with their reason', async t => {
    const directory = site(t);
    assert.match(
      (await renderOne(at(directory), 'gone', { timeLimit })).error ?? '',
      /cannot be opened on this machine/,
    );
    assert.match((await renderOne(at(directory), 'nobody', { timeLimit })).error ?? '', /cannot be read/);
    writeFileSync(path.join(directory, 'GBrowse.conf'), '[GENERAL]\n#include a\n#include a\n');
    writeFileSync(path.join(directory, 'a'), 'x = 1\n');
    assert.match((await renderOne(at(directory), 'yeast', { timeLimit })).error ?? '', /loop detected/);
  });
});

test("what Perl says instead of a result is an error's text", () => {
  assert.match(parseRendering("Can't locate Bio.pm").error ?? '', /without a result: Can't locate Bio\.pm/);
  assert.deepEqual(parseRendering('{"track":"Genes","seconds":1.5,"bytes":9,"more":[]}'), {
    track: 'Genes',
    seconds: 1.5,
    bytes: 9,
  });
});
