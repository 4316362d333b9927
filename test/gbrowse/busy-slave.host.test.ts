import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createProbe } from '../../src/farm/probe.ts';
import { renderOne } from '../../src/gbrowse/render.ts';
import { filesOf } from './directory.ts';
import { slaveMissing, startSlave } from './real-slave.ts';

/** Genes in one file that the in-memory adaptor reads: seconds of Perl's time. */
function genes(count: number): string {
  const lines = ['##gff-version 3', 'chrI\t.\tchromosome\t1\t30000000\t.\t.\t.\tID=chrI'];
  for (let at = 1; at <= count; at++) {
    lines.push(
      `chrI\tx\tgene\t${at * 400}\t${at * 400 + 300}\t.\t+\t.\tID=g${at};Name=gene${at};Note=a gene ${at}`,
    );
    lines.push(`chrI\tx\tmRNA\t${at * 400}\t${at * 400 + 300}\t.\t+\t.\tID=m${at};Parent=g${at}`);
  }
  return `${lines.join('\n')}\n`;
}

test('a slave that loads large data answers the balancer meanwhile', { skip: slaveMissing() }, async t => {
  const directory = filesOf(t, {
    'GBrowse.conf': `[GENERAL]
config_base = @DIR@
tmp_base = @DIR@
persistent_base = @DIR@
[mem]
description = mem
path = mem.conf
`,
    'mem.conf': `[GENERAL]
description = mem
initial landmark = chrI:1000..9000
database = annotations
[annotations:database]
db_adaptor = Bio::DB::SeqFeature::Store
db_args = -adaptor memory -dir @DIR@/big
[Genes]
feature = gene
glyph = generic
`,
  });
  mkdirSync(path.join(directory, 'big'));
  writeFileSync(path.join(directory, 'big/a.gff3'), genes(5_000));
  // As root, GBrowse's code runs as the web server's user.
  chmodSync(directory, 0o777);
  const slave = await startSlave(t, directory, 3);
  let isDrawn = false;
  const drawing = renderOne({ directory, file: path.join(directory, 'GBrowse.conf') }, 'mem', {
    slave: slave.url,
    timeLimit: 120_000,
  }).finally(() => {
    isDrawn = true;
  });
  const probe = createProbe(10_000);
  const answers = new Set<string>();
  while (!isDrawn) {
    answers.add(await probe('127.0.0.1', [slave.port]));
    await sleep(100);
  }
  const drawn = await drawing;
  assert.ok((drawn.bytes ?? 0) > 0, JSON.stringify(drawn));
  assert.deepEqual([...answers], ['answered']);
});
