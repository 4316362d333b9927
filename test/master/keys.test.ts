import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { credentialsFrom, keysFrom } from '../../src/master/keys.ts';

const ENV = { EC2_ACCESS_KEY: 'AKIAENV', EC2_SECRET_KEY: 'env-secret' };

describe('the EC2 keys', () => {
  it('are those of the options, else those of the environment', () => {
    assert.deepEqual(keysFrom({ accessKey: 'AKIAOPTION', secretKey: 's' }, ENV), {
      accessKey: 'AKIAOPTION',
      secretKey: 's',
    });
    assert.deepEqual(keysFrom({}, ENV), { accessKey: 'AKIAENV', secretKey: 'env-secret' });
    assert.equal(credentialsFrom(keysFrom({}, {})), undefined);
  });

  it('are taken without the line end of the file that they were read from', () => {
    const keys = keysFrom({ accessKey: ' AKIA\n' }, { EC2_SECRET_KEY: 'secret\r\n' });
    assert.deepEqual(keys, { accessKey: 'AKIA', secretKey: 'secret' });
  });

  it("are not the placeholders of the manual's file", () => {
    assert.deepEqual(keysFrom({ accessKey: 'YOUR_EC2_ACCESS_KEY_HERE' }, {}), {});
  });

  it('have the session token of the environment when they are temporary, and only then', () => {
    const env = { EC2_ACCESS_KEY: 'ASIAX', EC2_SECRET_KEY: 'secret', AWS_SESSION_TOKEN: 'token\n' };
    assert.deepEqual(credentialsFrom(keysFrom({}, env)), {
      accessKeyId: 'ASIAX',
      secretAccessKey: 'secret',
      sessionToken: 'token',
    });
    assert.equal(keysFrom({}, { ...env, EC2_ACCESS_KEY: 'AKIAX' }).sessionToken, undefined);
  });

  const refused = [
    [{ accessKey: 'AKIA' }, /an EC2 access key but no secret key/],
    [{ secretKey: 'secret' }, /an EC2 secret key but no access key/],
    [{ accessKey: 'ASIA', secretKey: 'secret' }, /its session token is missing: set AWS_SESSION_TOKEN/],
    [{ accessKey: 'AKIA', secretKey: 'my secret' }, /the EC2 secret key \(not shown\) contains white space/],
    [{ accessKey: 'AKIA\nX', secretKey: 'secret' }, /the EC2 access key \(not shown\) contains white space/],
  ] as const;
  for (const [keys, message] of refused) {
    it(`are refused: ${message.source}`, () => {
      assert.throws(() => credentialsFrom(keys), { message, exitStatus: 2 });
    });
  }
});
