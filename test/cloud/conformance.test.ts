import './enter.ts';
import { describe } from 'node:test';
import { testOverTheWire } from '../conformance/runners.ts';
import { startCloud } from './cloud.ts';
import { cloudMissing } from './requirements.ts';

describe('the EC2 of the cloud in a box behaves as AWS documents', { skip: cloudMissing() }, () =>
  testOverTheWire(async () => {
    const cloud = await startCloud();
    // The behaviours follow one another faster than any program that EC2 does not throttle.
    await cloud.settings({ throttle: 0 });
    return cloud;
  }),
);
