import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Tag } from '@aws-sdk/client-ec2';
import { HOUR, MINUTE, SECOND } from '../../src/clock.ts';
import { MASTER_TAG, SYNC_TAG } from '../../src/spot/tags.ts';
import { createWorld, firstListed, MASTER, serving, type World } from './world.ts';

describe('what is not this master’s', () => {
  it('is never touched: other masters’ slaves, untagged instances, groups and templates', async () => {
    const world = await serving(1);
    const other = createOther(world);
    await other.done;
    const before = other.ids();
    await world.run(10 * MINUTE);
    assert.equal(await world.stop(), 'clean');
    for (const id of before) {
      assert.ok(!world.terminations().has(id));
      assert.equal(world.cloud.account.instance(id)?.state, 'running');
    }
    world.assertNothingLeft();
  });

  it('nor is what a sync of the same master works with', async () => {
    const world = createWorld({ load: 3 });
    const staging = createStaging(world);
    await staging.done;
    world.start();
    await world.when('a slave in the farm', () => world.farm.urls().length === 1);
    await world.run(HOUR);
    assert.equal(world.log.count(/took up/), 0);
    assert.equal(await world.stop(), 'clean');
    for (const id of staging.ids()) assert.equal(world.cloud.account.instance(id)?.state, 'running');
    const rest = [...world.cloud.account.groups(), ...world.cloud.account.launchTemplates()];
    assert.equal(rest.filter(it => it.tags[SYNC_TAG] !== undefined).length, 2);
    const requests = world.cloud.account.spotRequests().filter(it => staging.ids().includes(it.instanceId));
    assert.ok(requests.every(it => it.state === 'active'));
  });

  it('neither is a slave whose tags somebody detaches', async () => {
    const world = await serving(2);
    const slave = firstListed(world);
    await detach(world, slave.id);
    await world.run(45 * SECOND);
    // It still uses the security group, which therefore cannot go.
    assert.equal(await world.stop(), 'incomplete');
    assert.ok(!world.terminations().has(slave.id));
    assert.equal(world.cloud.account.instance(slave.id)?.state, 'running');
    assert.equal(world.live().length, 1);
  });

  it('not even when it was draining already', async () => {
    const world = createWorld({
      load: [
        { from: 0, requestsPerSecond: 3 },
        { from: 10 * MINUTE, requestsPerSecond: 0 },
      ],
    });
    world.start();
    await world.until(9 * MINUTE);
    const slave = firstListed(world);
    await world.when('an empty farm', () => world.farm.urls().length === 0);
    await detach(world, slave.id);
    await world.run(HOUR);
    assert.equal(world.cloud.account.instance(slave.id)?.state, 'running');
  });
});

async function detach(world: World, id: string): Promise<void> {
  const Tags = [{ Key: 'gbrowse-aws-balancer:master', Value: 'nobody' }];
  await world.clock.run(world.cloud.ec2('CreateTags', { Resources: [id], Tags }));
}

/** Somebody else's instances in the same account, of the same image. */
function createOther(world: World) {
  return createInstances(world, 2, [{ Key: MASTER_TAG, Value: 'another master' }]);
}

/** What a sync has: an instance and a group with the tags of this master and its own. */
function createStaging(world: World) {
  return createInstances(world, 1, [
    { Key: MASTER_TAG, Value: MASTER },
    { Key: SYNC_TAG, Value: 'run 1' },
  ]);
}

function createInstances(world: World, count: number, tags: Tag[]) {
  let ids: string[] = [];
  const done = (async () => {
    const ec2 = world.cloud.ec2;
    const tagged = <T extends string>(ResourceType: T) => ({ ResourceType, Tags: tags });
    const { GroupId = '' } = await world.clock.run(
      ec2('CreateSecurityGroup', {
        GroupName: 'others',
        Description: 'others',
        TagSpecifications: [tagged('security-group')],
      }),
    );
    const data = {
      ImageId: 'ami-0a254c1f7e93b8d60',
      SecurityGroupIds: [GroupId],
      TagSpecifications: [tagged('instance'), tagged('volume'), tagged('spot-instances-request')],
    };
    const { LaunchTemplate } = await world.clock.run(
      ec2('CreateLaunchTemplate', {
        LaunchTemplateName: 'others',
        LaunchTemplateData: data,
        TagSpecifications: [tagged('launch-template')],
      }),
    );
    const answer = await world.clock.run(
      ec2('CreateFleet', {
        Type: 'instant',
        TargetCapacitySpecification: { TotalTargetCapacity: count, DefaultTargetCapacityType: 'spot' },
        LaunchTemplateConfigs: [
          {
            LaunchTemplateSpecification: {
              LaunchTemplateId: LaunchTemplate?.LaunchTemplateId ?? '',
              Version: '1',
            },
            Overrides: [{ InstanceType: 'c5.large' }],
          },
        ],
      }),
    );
    ids = (answer.Instances ?? []).flatMap(it => it.InstanceIds ?? []);
  })();
  return { done, ids: () => ids };
}
