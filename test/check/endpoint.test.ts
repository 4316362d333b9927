import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tokenService } from '../../src/check/identity.ts';
import { createSdkEc2 } from '../../src/ec2/sdk.ts';

/** What the SDK makes of an environment. */
async function endpoint(env: Readonly<Record<string, string>>, region = 'us-west-2'): Promise<string> {
  const before = { ...process.env };
  Object.assign(process.env, env);
  const sdk = createSdkEc2({ region });
  try {
    return (await sdk.endpoint()).href;
  } finally {
    sdk.close();
    for (const name of Object.keys(env)) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  }
}

describe('EC2 is where the settings of the AWS SDK say, and so its token service', () => {
  const cases = [
    [{}, 'us-west-2', 'https://ec2.us-west-2.amazonaws.com/', 'https://sts.us-west-2.amazonaws.com/'],
    [
      {},
      'cn-north-1',
      'https://ec2.cn-north-1.amazonaws.com.cn/',
      'https://sts.cn-north-1.amazonaws.com.cn/',
    ],
    [
      { AWS_USE_FIPS_ENDPOINT: 'true' },
      'us-west-2',
      'https://ec2-fips.us-west-2.amazonaws.com/',
      'https://sts-fips.us-west-2.amazonaws.com/',
    ],
    [
      { AWS_USE_DUALSTACK_ENDPOINT: 'true' },
      'us-west-2',
      'https://ec2.us-west-2.api.aws/',
      'https://sts.us-west-2.api.aws/',
    ],
    [{ AWS_ENDPOINT_URL: 'http://a:1' }, 'us-west-2', 'http://a:1/', 'http://a:1/'],
    [{ AWS_ENDPOINT_URL_EC2: 'https://b:8443' }, 'us-west-2', 'https://b:8443/', undefined],
    [
      { AWS_ENDPOINT_URL_EC2: 'https://b:8443', AWS_ENDPOINT_URL_STS: 'https://c' },
      'us-west-2',
      'https://b:8443/',
      'https://c/',
    ],
  ] as const;
  for (const [env, region, ec2, sts] of cases) {
    it(`${Object.entries(env).join(' ')} in ${region}: ${ec2}`, async () => {
      assert.equal(await endpoint(env, region), ec2);
      assert.equal(tokenService(new URL(ec2), env)?.href, sts);
    });
  }

  it('a setting that is no URL is refused', async () => {
    await assert.rejects(endpoint({ AWS_ENDPOINT_URL: 'rubbish' }));
  });
});
