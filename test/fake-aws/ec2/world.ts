import assert from 'node:assert/strict';
import type { CreateFleetRequest, RequestLaunchTemplateData } from '@aws-sdk/client-ec2';
import { isEc2Error } from '../../../src/ec2/errors.ts';
import { createRandom } from '../../../src/simulate/random.ts';
import { createVirtualClock } from '../virtual-clock.ts';
import { DEFAULT_EC2_SETTINGS, type Ec2Settings } from './settings.ts';
import { createSimulatedEc2 } from './simulated-ec2.ts';

export const IMAGE = 'ami-0a254c1f7e93b8d60';
export const SNAPSHOT = 'snap-0123456789abcdef0';
export const [ZONE_A, ZONE_B, ZONE_C] = ['us-west-2a', 'us-west-2b', 'us-west-2c'];
export const SUBNETS = DEFAULT_EC2_SETTINGS.subnets.map(subnet => subnet.id);

/** A world without delays, so that calls answer at once; instances are pending 10 s and shut down in 20 s. */
export function createWorld(settings: Partial<Ec2Settings> = {}, seed = 'a world') {
  const clock = createVirtualClock();
  const world = createSimulatedEc2({
    clock,
    random: createRandom(seed),
    settings: { latency: 0, lag: 0, pendingTime: 10_000, shutdownTime: 20_000, ...settings },
  });
  let templates = 0;

  /** A template of an image and the default group, with `data` over it. */
  async function makeTemplate(data: RequestLaunchTemplateData = {}): Promise<string> {
    const answer = await world.ec2('CreateLaunchTemplate', {
      LaunchTemplateName: `slaves-${++templates}`,
      LaunchTemplateData: { ImageId: IMAGE, ...data },
    });
    return answer.LaunchTemplate?.LaunchTemplateId ?? '';
  }

  function fleetOf(
    LaunchTemplateId: string,
    TotalTargetCapacity: number,
    more: Partial<CreateFleetRequest> & { readonly overrides?: Overrides } = {},
  ): CreateFleetRequest {
    const { overrides = [{ InstanceType: 'c5.large', AvailabilityZone: ZONE_A }], ...rest } = more;
    return {
      Type: 'instant',
      LaunchTemplateConfigs: [
        { LaunchTemplateSpecification: { LaunchTemplateId, Version: '1' }, Overrides: overrides },
      ],
      TargetCapacitySpecification: { TotalTargetCapacity, DefaultTargetCapacityType: 'spot' },
      SpotOptions: { AllocationStrategy: 'price-capacity-optimized' },
      ...rest,
    };
  }

  /** Launches, and gives the ids of what came. */
  async function launch(count: number, data: RequestLaunchTemplateData = {}, overrides?: Overrides) {
    const request = fleetOf(await makeTemplate(data), count, overrides === undefined ? {} : { overrides });
    const answer = await world.ec2('CreateFleet', request);
    return (answer.Instances ?? []).flatMap(it => it.InstanceIds ?? []);
  }

  /** What DescribeInstances shows. */
  async function shown(...filters: { Name: string; Values: string[] }[]) {
    const answer = await world.ec2('DescribeInstances', filters.length === 0 ? {} : { Filters: filters });
    return (answer.Reservations ?? []).flatMap(reservation => reservation.Instances ?? []);
  }

  return { ...world, clock, makeTemplate, fleetOf, launch, shown };
}

type Overrides = NonNullable<NonNullable<CreateFleetRequest['LaunchTemplateConfigs']>[number]['Overrides']>;

/** EC2 answers with this code. */
export async function refuses(call: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(call, error => {
    assert.ok(isEc2Error(error), `an Ec2Error, not ${error}`);
    assert.equal(error.code, code);
    return true;
  });
}
