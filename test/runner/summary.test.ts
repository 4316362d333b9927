import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Result, succeeded, summary } from './summary.ts';

const NONE = { tests: 0, passed: 0, failed: 0, cancelled: 0, skipped: 0, todo: 0, suites: 0 };
const FAST: Result = {
  group: 'fast',
  counts: { ...NONE, tests: 12, passed: 10, failed: 1, skipped: 1, suites: 2 },
  failures: [{ name: 'a farm shrinks', file: 'test/policy/scale.test.ts', line: 7 }],
  skips: ['promtool is not installed'],
  slowest: [{ file: 'test/policy/scale.test.ts', duration: 2400 }],
  duration: 3200,
};
const CLOUD: Result = {
  group: 'cloud',
  counts: { ...NONE, suites: 3 },
  failures: [],
  skips: ['not root', 'not root', 'not root'],
  slowest: [],
  duration: 1000,
};

test('the last lines name failures, reasons for skips and groups of which nothing ran, and end as those of node --test', () => {
  assert.equal(
    summary([FAST, CLOUD]),
    `
✖ fast: a farm shrinks (test/policy/scale.test.ts:7)
﹣ fast: skipped: promtool is not installed
﹣ cloud: 3 times skipped: not root
✖ fast       3 s  10 passed, 1 failed, 1 skipped; slowest: test/policy/scale.test.ts 2 s
✔ cloud      1 s  0 passed
! No cloud test was run: not root
ℹ tests 12
ℹ suites 5
ℹ pass 10
ℹ fail 1
ℹ cancelled 0
ℹ skipped 1
ℹ todo 0
ℹ duration_ms 4200
`,
  );
});

test('a group fails with a failed test, with a cancelled one, and when its patterns find no test at all', () => {
  assert.equal(succeeded(FAST), false);
  assert.equal(succeeded(CLOUD), true);
  assert.equal(succeeded({ ...CLOUD, counts: { ...NONE, tests: 1, cancelled: 1 } }), false);
  assert.equal(succeeded({ ...CLOUD, skips: [] }), false);
});
