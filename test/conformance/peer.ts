import assert from 'node:assert/strict';
import type { CreateFleetRequest, Instance } from '@aws-sdk/client-ec2';
import type { Ec2 } from '../../src/ec2/api.ts';
import { isEc2Error } from '../../src/ec2/errors.ts';

/** A peer of EC2, and what its account has. */
export type Peer = {
  readonly ec2: Ec2;
  /** An image of the account's. */
  readonly imageId: string;
  /** Names that nobody else uses. */
  name(): string;
  /** EC2 takes a spot instance back, after so many seconds of notice. */
  interrupt(instanceId: string, notice: number): Promise<void>;
  /** How many instances of a type there is capacity for, in each zone. */
  limit(instanceType: string, capacity: number): Promise<void>;
  /** Waits until it is so, in the peer's time. */
  until(what: string, isSo: () => Promise<boolean>): Promise<void>;
};

export type Behaviour = {
  readonly what: string;
  /** Where AWS documents it. */
  readonly page: string;
  /** For how many seconds the peer does not show what has just changed. */
  readonly lag?: number;
  readonly shown: (peer: Peer) => Promise<void>;
};

export async function refused(call: Promise<unknown>, code: string): Promise<void> {
  const error: unknown = await call.then(
    () => assert.fail(`no ${code}`),
    it => it,
  );
  assert.ok(isEc2Error(error), String(error));
  assert.equal(error.code, code);
}

export async function subnets({
  ec2,
}: Peer): Promise<readonly { subnetId: string; vpcId: string; zone: string }[]> {
  const { Subnets = [] } = await ec2('DescribeSubnets', {});
  return Subnets.map(it => ({
    subnetId: it.SubnetId ?? '',
    vpcId: it.VpcId ?? '',
    zone: it.AvailabilityZone ?? '',
  }));
}

export async function template(peer: Peer, name = peer.name()): Promise<string> {
  const answer = await peer.ec2('CreateLaunchTemplate', {
    LaunchTemplateName: name,
    LaunchTemplateData: { ImageId: peer.imageId },
  });
  return answer.LaunchTemplate?.LaunchTemplateId ?? '';
}

export async function group(peer: Peer, name = peer.name()): Promise<string> {
  const [{ vpcId } = { vpcId: '' }] = await subnets(peer);
  const answer = await peer.ec2('CreateSecurityGroup', { GroupName: name, Description: 'x', VpcId: vpcId });
  return answer.GroupId ?? '';
}

export async function fleet(
  peer: Peer,
  count: number,
  more: Partial<CreateFleetRequest> = {},
  price = '1',
): Promise<CreateFleetRequest> {
  const [{ subnetId } = { subnetId: '' }] = await subnets(peer);
  return {
    Type: 'instant',
    LaunchTemplateConfigs: [
      {
        LaunchTemplateSpecification: { LaunchTemplateId: await template(peer), Version: '1' },
        Overrides: [{ InstanceType: 'm5.large', SubnetId: subnetId, MaxPrice: price }],
      },
    ],
    TargetCapacitySpecification: { TotalTargetCapacity: count, DefaultTargetCapacityType: 'spot' },
    ...more,
  };
}

export async function launched(peer: Peer, request: CreateFleetRequest): Promise<string[]> {
  const answer = await peer.ec2('CreateFleet', request);
  return (answer.Instances ?? []).flatMap(it => it.InstanceIds ?? []);
}

export async function instance({ ec2 }: Peer, id: string): Promise<Instance | undefined> {
  const { Reservations = [] } = await ec2('DescribeInstances', { InstanceIds: [id] });
  return Reservations[0]?.Instances?.[0];
}

export async function stateOf(peer: Peer, id: string): Promise<string | undefined> {
  return (await instance(peer, id))?.State?.Name;
}

export const API = 'https://docs.aws.amazon.com/AWSEC2/latest/APIReference/';
export const GUIDE = 'https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/';
