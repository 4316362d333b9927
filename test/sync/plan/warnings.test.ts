import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { TreeKind } from '../../../src/sync/plan/trees.ts';
import { dataElsewhere } from '../../../src/sync/plan/warnings.ts';

let directory: string;
const at = (...names: readonly string[]) => path.join(directory, ...names);
before(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'warnings-'));
  for (const name of ['databases', 'bam', 'two words']) mkdirSync(at(name));
  for (const file of [
    ['databases', 'a.sqlite'],
    ['bam', 'a.bam'],
    ['two words', 'b.fa'],
  ]) {
    writeFileSync(at(...file), '');
  }
  symlinkSync(at('bam', 'a.bam'), at('databases', 'link.bam'));
});
after(() => rmSync(directory, { recursive: true }));

const tree = (kind: TreeKind, source: string) => ({ kind, source, paths: [source] });
const place = { source: 'yeast', file: '/etc/gbrowse/yeast.conf', number: 12 };
const warn = (uses: readonly ({ path: string } | { server: string })[], kinds: readonly TreeKind[] = []) =>
  dataElsewhere(
    [tree('databases', at('databases')), ...kinds.map(kind => tree(kind, `/var/lib/${kind}`))],
    uses.map(use => ({ ...place, ...use })),
    '/etc/gbrowse/aws_balancer.conf',
  );

describe('what data sources open', () => {
  test('is no concern where it is copied, or is not there', async () => {
    assert.deepEqual(await warn([{ path: at('databases', 'a.sqlite') }, { path: '/no/such/file' }]), []);
  });

  test('elsewhere is named with its line, and with the line that adds its directory', async () => {
    const [only, ...others] = await warn([{ path: at('bam', 'a.bam') }, { path: at('bam') }]);
    assert.deepEqual(others, []);
    assert.match(only ?? '', /a\.bam of data source yeast \(\/etc\/gbrowse\/yeast\.conf:12\)/);
    assert.ok(
      only?.endsWith(
        `Put this into [MASTER] of /etc/gbrowse/aws_balancer.conf: databases = ${at('databases')} ${at('bam')}`,
      ),
      only,
    );
  });

  test("in GBrowse's own directory is added with all of that", async () => {
    const own = at('bam');
    const [only] = await dataElsewhere(
      [tree('databases', at('databases'))],
      [{ ...place, path: at('bam', 'a.bam') }],
      'C',
      own,
    );
    assert.match(only ?? '', new RegExp(`databases = ${at('databases')} ${own}$`));
  });

  test('through a link that leads out of the tree is elsewhere too', async () => {
    assert.match((await warn([{ path: at('databases', 'link.bam') }]))[0] ?? '', /no copied directory holds/);
  });

  test('in a directory whose path the option cannot hold has to be moved', async () => {
    assert.match((await warn([{ path: at('two words', 'b.fa') }]))[0] ?? '', /Move it to a directory/);
  });

  test("on a server is said once, where the server's data are not copied", async () => {
    const uses = [{ server: 'mysql' }, { server: 'mysql' }, { server: 'Pg' }];
    assert.deepEqual(
      (await warn(uses)).map(it => /--\w+/.exec(it)?.[0]),
      ['--mysql', '--postgres'],
    );
    assert.deepEqual(await warn(uses, ['mysql', 'postgresql']), []);
  });
});
