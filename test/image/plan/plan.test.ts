import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { architectureWarnings } from '../../../src/image/plan/plan.ts';

describe('the plan warns', () => {
  const X86 = { architecture: 'x86_64', instanceTypes: ['m5.large'], others: [] } as const;
  const ARM = { architecture: 'arm64', instanceTypes: ['m7g.large'], others: ['m5.large'] } as const;
  const COMPILED = { copies: [{ directory: '/p', files: ['/p/A.pm', '/p/auto/A/A.so'] }] };
  const PLAIN = { copies: [{ directory: '/p', files: ['/p/A.pm'] }] };

  test('of instance types that cannot boot the image', () => {
    assert.match(
      architectureWarnings(ARM, PLAIN, 'arm64').join(),
      /is for arm64, as m7g\.large; slaves of m5\.large cannot/,
    );
    assert.deepEqual(architectureWarnings(X86, COMPILED, 'x64'), []);
  });

  test('of compiled modules of the site for another architecture', () => {
    assert.match(
      architectureWarnings(X86, COMPILED, 'arm64').join(),
      /do not work there: \/p\/auto\/A\/A\.so;/,
    );
    assert.deepEqual(architectureWarnings(X86, PLAIN, 'arm64'), []);
  });
});
