import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext, test } from 'node:test';
import { takeServiceSettings } from '../../src/master/service-settings.ts';

function taken(t: TestContext, text: string, env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const directory = mkdtempSync(path.join(tmpdir(), 'settings-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = path.join(directory, 'default');
  writeFileSync(file, text);
  const changed = { ...env };
  takeServiceSettings(file, changed);
  return changed;
}

const KEYS = 'ACCESS_KEY=AKIAFILE\nSECRET_KEY="file/secret"\n';

describe("root's environment", () => {
  it('gets the keys of the service', t => {
    assert.deepEqual(taken(t, KEYS), { EC2_ACCESS_KEY: 'AKIAFILE', EC2_SECRET_KEY: 'file/secret' });
  });

  it('keeps keys of its own, and mixes none', t => {
    assert.deepEqual(taken(t, KEYS, { EC2_ACCESS_KEY: 'AKIAMINE' }), { EC2_ACCESS_KEY: 'AKIAMINE' });
  });

  it('gets what the file exports for the AWS SDK, and keeps what it has', t => {
    const text =
      'export AWS_PROFILE=gbrowse\n  export HTTPS_PROXY="http://proxy:3128" # ours\nexport AWS_REGION=eu-west-1\n';
    assert.deepEqual(taken(t, text, { AWS_REGION: 'us-west-2' }), {
      AWS_PROFILE: 'gbrowse',
      AWS_REGION: 'us-west-2',
      HTTPS_PROXY: 'http://proxy:3128',
    });
  });

  it('gets several variables that one line exports', t => {
    const text = `export AWS_PROFILE=gbrowse AWS_REGION="eu-west-1"\tAWS_CA_BUNDLE='/a b' # ours\n`;
    assert.deepEqual(taken(t, text), {
      AWS_PROFILE: 'gbrowse',
      AWS_REGION: 'eu-west-1',
      AWS_CA_BUNDLE: '/a b',
    });
    assert.deepEqual(taken(t, 'export AWS_PROFILE=gbrowse AWS_REGION=$(id)\n'), {});
  });

  it('gets nothing that is not exported, is no business of ours, or would have to be run', t => {
    const text =
      'AWS_PROFILE=plain\nexport PATH=/tmp\nexport LD_PRELOAD=/x.so\nexport AWS_REGION=$(touch /tmp/x)\nexport AWS_CA_BUNDLE=`id`\n';
    assert.deepEqual(taken(t, text), {});
  });

  it('stays as it is where there is no such file', () => {
    const env = { EC2_ACCESS_KEY: 'A' };
    takeServiceSettings('/nonexistent/default', env);
    assert.deepEqual(env, { EC2_ACCESS_KEY: 'A' });
  });
});

test('reads only the beginning of whatever is in the place of the settings', () => {
  const env = {};
  takeServiceSettings('/dev/zero', env);
  assert.deepEqual(env, {});
});
