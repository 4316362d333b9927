import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SECOND } from '../../src/clock.ts';
import { createSdkEc2, type SdkEc2 } from '../../src/ec2/sdk.ts';
import { createWorld, IMAGE } from '../fake-aws/ec2/world.ts';
import { type Ec2StandIn, ec2Missing, REGION, startEc2 } from '../peers/ec2-stand-in.ts';
import { BEHAVIOURS } from './behaviours.ts';

let names = 0;
const name = () => `conformance-${++names}`;

describe('the EC2 in memory behaves as AWS documents', () => {
  for (const { what, page, shown } of BEHAVIOURS) {
    it(`${what} (${page})`, async () => {
      const { ec2, clock } = createWorld();
      const until = async (wanted: string, isSo: () => Promise<boolean>) => {
        for (let tries = 0; !(await isSo()); tries++) {
          assert.ok(tries < 100, `waited in vain until ${wanted}`);
          await clock.sleep(SECOND);
        }
      };
      await clock.run(shown({ ec2, imageId: IMAGE, name, until }));
    });
  }
});

describe('the EC2 over the wire behaves as AWS documents', { skip: ec2Missing() }, () => {
  let standIn: Ec2StandIn;
  let sdk: SdkEc2;
  before(async () => {
    standIn = await startEc2();
    process.env.AWS_ENDPOINT_URL_EC2 = standIn.endpoint;
    sdk = createSdkEc2({ region: REGION, credentials: { accessKeyId: 'AKIACONFORM', secretAccessKey: 'x' } });
  });
  after(async () => {
    sdk.close();
    await standIn.stop();
  });
  const until = async (wanted: string, isSo: () => Promise<boolean>) => {
    for (let tries = 0; !(await isSo()); tries++) {
      assert.ok(tries < 300, `waited in vain until ${wanted}`);
      await sleep(100);
    }
  };
  for (const { what, page, shown } of BEHAVIOURS) {
    it(`${what} (${page})`, () => shown({ ec2: sdk.ec2, imageId: standIn.image, name, until }));
  }
});
