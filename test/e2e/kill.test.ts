import { after, before, describe, test } from 'node:test';
import { type Ec2StandIn, ec2Missing, startEc2 } from '../peers/ec2-stand-in.ts';
import { assertEmpty, drawMoments, killOnce, likeEc2, nameOf } from './kill.ts';

const skip = ec2Missing();
const seed = process.env.TEST_SEED ?? String(Date.now());

describe(`kill -9 at any moment (TEST_SEED=${seed}): the next balancer takes up what there is`, {
  skip,
  concurrency: 15,
}, () => {
  let ec2: Ec2StandIn;
  before(async () => {
    ec2 = await startEc2();
    await likeEc2(ec2);
  });
  after(async () => {
    try {
      await assertEmpty(ec2);
    } finally {
      await ec2.stop();
    }
  });

  drawMoments(seed, 15).forEach((moment, index) => {
    test(`${moment.after} ms into its ${moment.phase}`, t =>
      killOnce(t, ec2, nameOf(index), moment).then(() => {}));
  });
});
