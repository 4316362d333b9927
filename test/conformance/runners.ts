import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SECOND } from '../../src/clock.ts';
import { createSdkEc2, type SdkEc2 } from '../../src/ec2/sdk.ts';
import { createWorld, IMAGE } from '../fake-aws/ec2/world.ts';
import { type Ec2StandIn, REGION } from '../peers/ec2-stand-in.ts';
import { BEHAVIOURS } from './behaviours.ts';

let names = 0;
const name = () => `conformance-${++names}`;

/** A test for each behaviour, against the EC2 in memory: each has a world of its own. */
export function testInMemory(): void {
  for (const { what, page, lag = 0, shown } of BEHAVIOURS) {
    it(`${what} (${page})`, async () => {
      const { ec2, clock, interrupt, market } = createWorld({ lag: lag * SECOND });
      await clock.run(
        shown({
          ec2,
          imageId: IMAGE,
          name,
          interrupt: async (id, notice) => interrupt(id, notice * SECOND),
          limit: async (instanceType, capacity) => market.set({ capacity }, { instanceType }),
          async until(wanted, isSo) {
            for (let tries = 0; !(await isSo()); tries++) {
              assert.ok(tries < 100, `waited in vain until ${wanted}`);
              await clock.sleep(SECOND);
            }
          },
        }),
      );
    });
  }
}

/** A test for each behaviour, over the wire: one account for all of them. Call it in a `describe`. */
export function testOverTheWire(start: () => Promise<Ec2StandIn>): void {
  let peer: Ec2StandIn;
  let sdk: SdkEc2;
  before(async () => {
    peer = await start();
    process.env.AWS_ENDPOINT_URL_EC2 = peer.endpoint;
    sdk = createSdkEc2({ region: REGION, credentials: { accessKeyId: 'AKIACONFORM', secretAccessKey: 'x' } });
  });
  after(async () => {
    sdk?.close();
    await peer?.stop();
  });
  async function until(wanted: string, isSo: () => Promise<boolean>): Promise<void> {
    for (let tries = 0; !(await isSo()); tries++) {
      assert.ok(tries < 600, `waited in vain until ${wanted}`);
      await sleep(100);
    }
  }
  for (const { what, page, lag = 0, shown } of BEHAVIOURS) {
    it(`${what} (${page})`, async () => {
      await peer.settings({ lag });
      try {
        const { interrupt, image } = peer;
        const limit = (type: string, capacity: number) => peer.pool(type, { capacity });
        await shown({ ec2: sdk.ec2, imageId: image, name, interrupt, limit, until });
      } finally {
        await peer.settings({ lag: 0 });
      }
    });
  }
}
