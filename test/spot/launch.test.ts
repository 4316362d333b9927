import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFleetRequest, type LaunchRequest, outcomeOf, worstRefusal } from '../../src/spot/launch.ts';

const REQUEST: LaunchRequest = {
  token: 'run-1',
  count: 3,
  plan: {
    templateId: 'lt-1',
    imageId: 'ami-1',
    found: false,
    spotBid: 0.08,
    pools: [
      { instanceType: 'm5.large', subnetId: 'subnet-1' },
      { instanceType: 'm6i.large', subnetId: 'subnet-2' },
    ],
  },
};

describe('the CreateFleet call of a launch', () => {
  const request = createFleetRequest(REQUEST, 'a master');

  it('asks once, for spot capacity alone, wherever it is cheap and likely to stay', () => {
    assert.equal(request.Type, 'instant');
    assert.deepEqual(request.SpotOptions, { AllocationStrategy: 'price-capacity-optimized' });
    assert.deepEqual(request.TargetCapacitySpecification, {
      TotalTargetCapacity: 3,
      DefaultTargetCapacityType: 'spot',
    });
  });

  it('asks on demand in the pools whose price is known, without a bid', () => {
    const pool = { instanceType: 'm5.large', subnetId: 'subnet-1' };
    const onDemand = { templateId: 'lt-2', pools: [pool], dearest: 0.096 };
    const { SpotOptions, OnDemandOptions, TargetCapacitySpecification, LaunchTemplateConfigs } =
      createFleetRequest({ ...REQUEST, onDemand }, 'a master');
    assert.equal(SpotOptions, undefined);
    assert.deepEqual(OnDemandOptions, { AllocationStrategy: 'lowest-price' });
    assert.deepEqual(TargetCapacitySpecification, {
      TotalTargetCapacity: 3,
      DefaultTargetCapacityType: 'on-demand',
    });
    assert.deepEqual(LaunchTemplateConfigs, [
      {
        LaunchTemplateSpecification: { LaunchTemplateId: 'lt-2', Version: '1' },
        Overrides: [{ InstanceType: 'm5.large', SubnetId: 'subnet-1' }],
      },
    ]);
  });

  it('never bids more than spot_bid, in any pool', () => {
    const [config] = request.LaunchTemplateConfigs ?? [];
    assert.deepEqual(
      config?.Overrides?.map(it => [it.InstanceType, it.SubnetId, it.MaxPrice]),
      [
        ['m5.large', 'subnet-1', '0.08'],
        ['m6i.large', 'subnet-2', '0.08'],
      ],
    );
  });

  it('is the same call whenever it is repeated, under the same token', () => {
    assert.equal(request.ClientToken, 'run-1');
    assert.deepEqual(createFleetRequest(REQUEST, 'a master'), request);
  });

  it('tags what it creates from birth, the instances with their launch', () => {
    const tags = request.TagSpecifications?.find(it => it.ResourceType === 'instance')?.Tags ?? [];
    assert.deepEqual(Object.fromEntries(tags.map(tag => [tag.Key, tag.Value])), {
      Name: 'GBrowse Slave',
      Requestor: 'GBrowse AWS Balancer',
      'gbrowse-aws-balancer:master': 'a master',
      'gbrowse-aws-balancer:launch': 'run-1',
    });
  });
});

describe('the answer of CreateFleet', () => {
  it('gives instances of several pools, and each reason once, with its pool', () => {
    const error = (ErrorCode: string, zone: string) => ({
      ErrorCode,
      ErrorMessage: 'sorry',
      LaunchTemplateAndOverrides: {
        Overrides: { InstanceType: 'm5.large' as const, AvailabilityZone: zone },
      },
    });
    assert.deepEqual(
      outcomeOf({
        Instances: [{ InstanceIds: ['i-1', 'i-2'] }, { InstanceIds: ['i-3'] }, {}],
        Errors: [
          error('InsufficientInstanceCapacity', 'us-west-2a'),
          error('InsufficientInstanceCapacity', 'us-west-2b'),
          error('SpotMaxPriceTooLow', 'us-west-2c'),
        ],
      }),
      {
        instanceIds: ['i-1', 'i-2', 'i-3'],
        refusals: [
          {
            code: 'InsufficientInstanceCapacity',
            trouble: 'capacity',
            message: 'm5.large in us-west-2a: sorry',
          },
          { code: 'SpotMaxPriceTooLow', trouble: 'price', message: 'm5.large in us-west-2c: sorry' },
        ],
      },
    );
  });

  it('may be empty, or name neither pool nor message', () => {
    assert.deepEqual(outcomeOf({}), { instanceIds: [], refusals: [] });
    assert.deepEqual(outcomeOf({ Errors: [{ ErrorCode: 'Odd' }, {}] }).refusals, [
      { code: 'Odd', trouble: 'request', message: 'Odd' },
      { code: 'Unknown', trouble: 'request', message: 'Unknown' },
    ]);
  });
});

describe('of several reasons the one that decides', () => {
  const cases = [
    [['InsufficientInstanceCapacity', 'UnauthorizedOperation'], 'UnauthorizedOperation'],
    [['SpotMaxPriceTooLow', 'MaxSpotInstanceCountExceeded'], 'MaxSpotInstanceCountExceeded'],
    [['InsufficientInstanceCapacity', 'SpotMaxPriceTooLow'], 'SpotMaxPriceTooLow'],
    // A zone that does not offer a type never will; the other pools decide when to ask again.
    [['InvalidFleetConfiguration', 'InsufficientInstanceCapacity'], 'InsufficientInstanceCapacity'],
    [['InvalidFleetConfiguration', 'SpotMaxPriceTooLow'], 'SpotMaxPriceTooLow'],
    [['InvalidFleetConfiguration'], 'InvalidFleetConfiguration'],
    [[], undefined],
  ] as const;
  for (const [codes, worst] of cases) {
    it(`${codes.join(' and ') || 'none'}: ${worst ?? 'none'}`, () => {
      const { refusals } = outcomeOf({ Errors: codes.map(ErrorCode => ({ ErrorCode })) });
      assert.equal(worstRefusal(refusals)?.code, worst);
      assert.equal(worstRefusal(refusals.toReversed())?.code, worst);
    });
  }
});
