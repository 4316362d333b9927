import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { InstanceTypeInfo } from '@aws-sdk/client-ec2';
import { monthLines, priceLines } from '../../src/setup/costs.ts';
import { proposeBid, proposeTypes, USUAL_TYPES } from '../../src/setup/instance-types.ts';

const type = (name: string, more: Partial<InstanceTypeInfo> = {}): InstanceTypeInfo => ({
  // The SDK's list of names is older than the types.
  InstanceType: name as NonNullable<InstanceTypeInfo['InstanceType']>,
  CurrentGeneration: true,
  SupportedUsageClasses: ['on-demand', 'spot'],
  ProcessorInfo: { SupportedArchitectures: ['x86_64'] },
  ...more,
});
const OFFERED = [
  type('m5.large'),
  type('m6i.large'),
  type('m5a.large'),
  type('m7i.large'),
  type('m6a.large'),
  type('t3.large', { BurstablePerformanceSupported: true }),
  type('m1.large', { CurrentGeneration: false }),
  type('m6g.large', { ProcessorInfo: { SupportedArchitectures: ['arm64'] } }),
  type('mac1.metal', { BareMetal: true }),
  type('u1.large', { SupportedUsageClasses: ['on-demand'] }),
  type('g6.large', { GpuInfo: { Gpus: [{ Name: 'L4', Count: 1 }] } }),
  type('new.large'),
];
const PRICES = Object.entries({
  'm5.large': 0.04,
  'm6i.large': 0.035,
  'm5a.large': 0.03,
  'm7i.large': 0.05,
  'm6a.large': 0.032,
  't3.large': 0.01,
  'm1.large': 0.01,
  'm6g.large': 0.01,
  'mac1.metal': 0.01,
  'u1.large': 0.01,
  'g6.large': 0.01,
}).flatMap(([name, dollars]) => [
  { type: name, zone: 'us-west-2a', dollars: dollars * 2 },
  { type: name, zone: 'us-west-2b', dollars },
]);

describe('the types that are proposed', () => {
  it('are the four cheapest of the current generation that are sold as spot and run the image', () => {
    assert.deepEqual(proposeTypes(OFFERED, PRICES, 'x86_64'), [
      'm5a.large',
      'm6a.large',
      'm6i.large',
      'm5.large',
    ]);
  });

  it('are the usual ones where fewer than three would do', () => {
    assert.deepEqual(proposeTypes(OFFERED, PRICES, 'arm64'), USUAL_TYPES.arm64);
    assert.deepEqual(proposeTypes(OFFERED, [], 'x86_64'), USUAL_TYPES.x86_64);
  });

  it('come with a bid that buys each of them, and half as much again', () => {
    assert.equal(proposeBid(PRICES, ['m5a.large', 'm6i.large']), 0.06);
    assert.equal(proposeBid([], ['m5.large']), undefined);
  });
});

describe('what is shown of prices', () => {
  it('is the cheapest and the dearest zone of each type', () => {
    assert.deepEqual(priceLines(PRICES, ['m5a.large', 'x9.large']), [
      'm5a.large  $0.03 an hour in us-west-2b, $0.06 in the dearest zone',
      'x9.large   not sold as a spot instance here',
    ]);
    assert.deepEqual(priceLines([], ['m5.large']), []);
  });

  it('is a month of 730 hours at min and max of each row of the load table', () => {
    const table = [
      { requestsPerSecond: 0.5, min: 0, max: 2 },
      { requestsPerSecond: 10, min: 6, max: 8 },
    ];
    assert.deepEqual(monthLines(table, PRICES, ['m5a.large', 'm5.large']), [
      'requests/s  min  max  a month at min  a month at max',
      '       0.5    0    2              $0          $43.80',
      '        10    6    8         $131.40         $175.20',
    ]);
  });
});
