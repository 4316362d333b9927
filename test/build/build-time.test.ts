import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { buildTime } from '../../build/package/build-time.ts';

describe('the time of a package that is made from a source archive', () => {
  const DAY = Date.parse('2026-11-22T00:00:00Z') / 1000;
  for (const [what, heading, epoch, expected] of [
    ['is the day of its version in the changelog', '## 1.2.3 – 2026-11-22', undefined, DAY],
    [
      'is that of the changelog where the version has no day yet',
      '## 1.2.3 – unreleased',
      undefined,
      1_700_000_000,
    ],
    [
      'is that of the changelog where only other versions have a day',
      '## 1.2.2 – 2026-11-22',
      undefined,
      1_700_000_000,
    ],
    ['is what SOURCE_DATE_EPOCH says', '## 1.2.3 – 2026-11-22', '1600000000', 1_600_000_000],
  ] as const) {
    test(what, async t => {
      const root = mkdtempSync(path.join(tmpdir(), 'source-'));
      const before = process.env.SOURCE_DATE_EPOCH;
      t.after(() => {
        rmSync(root, { recursive: true });
        if (before === undefined) delete process.env.SOURCE_DATE_EPOCH;
        else process.env.SOURCE_DATE_EPOCH = before;
      });
      if (epoch === undefined) delete process.env.SOURCE_DATE_EPOCH;
      else process.env.SOURCE_DATE_EPOCH = epoch;
      const changelog = `# Changelog\n\n${heading}\n\n- A change.\n`;
      writeFileSync(path.join(root, 'CHANGELOG.md'), changelog);
      utimesSync(path.join(root, 'CHANGELOG.md'), 1_700_000_000, 1_700_000_000);
      assert.equal(await buildTime(root, changelog, '1.2.3'), expected);
    });
  }

  test('cannot be a SOURCE_DATE_EPOCH that is no number', async t => {
    const before = process.env.SOURCE_DATE_EPOCH;
    t.after(() => {
      if (before === undefined) delete process.env.SOURCE_DATE_EPOCH;
      else process.env.SOURCE_DATE_EPOCH = before;
    });
    process.env.SOURCE_DATE_EPOCH = 'today';
    await assert.rejects(buildTime('/', '', '1'), /SOURCE_DATE_EPOCH is "today"/);
  });
});
