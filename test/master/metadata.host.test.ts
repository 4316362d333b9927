import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { metadataEndpoint, readMetadata } from '../../src/master/metadata.ts';
import { userData } from '../../src/spot/user-data.ts';
import { type ImdsFacts, startImds } from '../peers/imds.ts';

const FACTS = {
  instanceId: 'i-0123456789abcdef0',
  region: 'us-west-2',
  zone: 'us-west-2b',
  image: 'ami-0123456789abcdef0',
  address: '10.0.0.9',
  subnet: 'subnet-0123456789abcdef0',
  vpc: 'vpc-0123456789abcdef0',
};

async function read(t: TestContext, script?: string, more: Partial<ImdsFacts> = {}) {
  const imds = await startImds({ ...FACTS, ...more, ...(script !== undefined && { userData: script }) });
  t.after(() => imds.stop());
  return readMetadata({ AWS_EC2_METADATA_SERVICE_ENDPOINT: imds.endpoint });
}

describe('the metadata of the machine', () => {
  const endpoints: readonly [env: NodeJS.ProcessEnv, endpoint: string][] = [
    [{}, 'http://169.254.169.254'],
    [{ AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE: 'IPv6' }, 'http://[fd00:ec2::254]'],
    [{ AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE: 'IPv4' }, 'http://169.254.169.254'],
    [
      {
        AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE: 'IPv6',
        AWS_EC2_METADATA_SERVICE_ENDPOINT: 'http://127.0.0.1:1338/',
      },
      'http://127.0.0.1:1338',
    ],
  ];
  for (const [env, endpoint] of endpoints) {
    it(`is at ${endpoint} with ${JSON.stringify(env)}`, () => {
      assert.equal(metadataEndpoint(env), endpoint);
    });
  }

  it('says where the master stands, when it has no user-data or some of its own', async t => {
    for (const script of [undefined, '#cloud-config\npackages: [gbrowse]\n']) {
      const metadata = await read(t, script);
      assert.equal(metadata?.instanceId, FACTS.instanceId);
      assert.equal(metadata?.isSlave, undefined);
    }
  });

  it('says of a machine that a balancer has launched that it is a slave', async t => {
    assert.equal((await read(t, userData({ ports: [8101], orphanTimeout: 3_600_000 })))?.isSlave, true);
  });

  it('says which role the machine has, if it has one', async t => {
    assert.equal((await read(t))?.role, undefined);
    const credentials = { accessKey: 'ASIAX', secretKey: 's', sessionToken: 't' };
    assert.equal((await read(t, undefined, { credentials }))?.role, 'GBrowseMaster');
  });

  it('is an error, and no master’s, where the user-data cannot be read: it may be a slave’s', async t => {
    await assert.rejects(read(t, undefined, { drops: '/latest/user-data' }), /user-data/);
  });
});
