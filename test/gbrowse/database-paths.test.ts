import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { readConfiguration } from '../../src/gbrowse/configuration.ts';
import { databaseDirectory, databaseUses } from '../../src/gbrowse/database-paths.ts';
import { filesOf } from './directory.ts';

test('what the data sources open is found, and no password with it', async t => {
  const root = filesOf(t, {
    'GBrowse.conf': `[GENERAL]
db_base = /var/lib/gbrowse/databases/
[worm]
path = worm.conf
[off]
path = perl made.pl |
`,
    'worm.conf': `[GENERAL]
db_adaptor = Bio::DB::SeqFeature::Store
db_args = -adaptor memory
          -dir "$DB/worm"
[reads:database]
db_adaptor = Bio::DB::Sam
db_args = -fasta /data/worm.fa
	-bam /data/reads.bam
[sqlite:database]
db_args = -adaptor DBI::SQLite -dsn dbi:SQLite:dbname=/data/worm.sqlite
[server:database]
db_args = -adaptor DBI::mysql -dsn dbi:mysql:database=worm;host=localhost -user nobody -pass /secret7
`,
  });
  const configuration = await readConfiguration(path.join(root, 'GBrowse.conf'));
  const uses = databaseUses(configuration);
  const file = path.join(root, 'worm.conf');
  assert.deepEqual(uses.slice(0, 5), [
    { source: 'worm', file, number: 3, path: '/var/lib/gbrowse/databases/worm' },
    { source: 'worm', file, number: 7, path: '/data/worm.fa' },
    { source: 'worm', file, number: 7, path: '/data/reads.bam' },
    { source: 'worm', file, number: 10, path: '/data/worm.sqlite' },
    { source: 'worm', file, number: 12, server: 'mysql' },
  ]);
  assert.equal(databaseDirectory(configuration), '/var/lib/gbrowse/databases');
});
