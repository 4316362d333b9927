import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { nodePackage } from '../../build/node.mjs';
import { stripped } from '../../build/strip.ts';

test("Node's executable runs without its symbols, is 15 MB smaller, and every byte that is loaded is where it was", t => {
  const directory = mkdtempSync(path.join(tmpdir(), 'strip-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const whole = readFileSync(path.join(nodePackage(process.arch), 'bin/node'));
  const small = stripped(whole);
  assert.ok(whole.length - small.length > 15e6, `${whole.length} → ${small.length}`);

  const loaded = loadedEnd(whole);
  assert.equal(loadedEnd(small), loaded);
  const header = 64;
  assert.ok(small.subarray(header, loaded).equals(whole.subarray(header, loaded)));

  const file = path.join(directory, 'node');
  writeFileSync(file, small, { mode: 0o755 });
  const program =
    'console.log(process.version, new Intl.NumberFormat("de").format(1234.5), [3, 1, 2].sort().join())';
  assert.equal(
    execFileSync(file, ['-e', program], { encoding: 'utf8' }),
    `${process.version} 1.234,5 1,2,3\n`,
  );
  assert.ok(stripped(small).equals(small));
});

test('what is no executable of 64 bits is refused', () => {
  assert.throws(() => stripped(readFileSync(import.meta.filename)), /not an ELF file of 64 bits/);
});

/** The end of what the program headers load, in the file. */
function loadedEnd(elf: Buffer): number {
  const at = Number(elf.readBigUInt64LE(32));
  const size = elf.readUInt16LE(54);
  const segments = Array.from({ length: elf.readUInt16LE(56) }, (_, i) =>
    elf.subarray(at + i * size, at + (i + 1) * size),
  );
  const LOAD = 1;
  return Math.max(
    ...segments
      .filter(it => it.readUInt32LE(0) === LOAD)
      .map(it => Number(it.readBigUInt64LE(8)) + Number(it.readBigUInt64LE(32))),
  );
}
