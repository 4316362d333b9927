import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingOf } from '../../src/check/topics/rendering.ts';
import type { Rendering } from '../../src/gbrowse/render.ts';

const SLAVE = 'http://10.0.0.5:8101';
const CASES: Readonly<Record<string, readonly [Rendering, string | undefined, RegExp, RegExp?]>> = {
  'an image, and the time that it took': [
    { track: 'Genes', seconds: 1.5, bytes: 4000 },
    SLAVE,
    /^ok: http:\/\/10\.0\.0\.5:8101 draws track Genes of yeast in 1\.5 s \(4000 bytes\)\./,
  ],
  'an image that is drawn here': [
    { track: 'Genes', seconds: 1.5, bytes: 4000 },
    undefined,
    /^ok: this machine \(no slave is listed\)/,
  ],
  "a slave's failure: where its reason stands": [
    { track: 'Genes', seconds: 1, error: 'the slave answers: 500 Server closed connection' },
    SLAVE,
    /^problem: yeast is not drawn on http:\/\/10\.0\.0\.5:8101: the slave answers: 500/,
    /a different path on the slave.*gbrowse_slave/,
  ],
  'a data source that is wrong here too': [
    { seconds: 0, error: 'it has no track' },
    SLAVE,
    /^problem: .*it has no track\./,
    /Correct the data source's configuration/,
  ],
  'an image that GBrowse cannot keep': [
    { track: 'Genes', seconds: 1, bytes: 4000, put: 'Can\'t locate object method "png"' },
    SLAVE,
    /^problem: .*GBrowse cannot keep the image: .*"png"/,
    /farm = live/,
  ],
};

for (const [what, [drawn, slave, message, advice]] of Object.entries(CASES)) {
  test(`check --render reports ${what}`, () => {
    const finding = findingOf('yeast', drawn, slave);
    assert.match(`${finding.verdict}: ${finding.message}`, message);
    if (advice !== undefined) assert.match(JSON.stringify(finding), advice);
  });
}
