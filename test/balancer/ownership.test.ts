import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOUR, MINUTE, SECOND } from '../../src/clock.ts';
import { createWorld, firstListed, serving, type World } from './world.ts';

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
  let ids: string[] = [];
  const done = (async () => {
    const ec2 = world.cloud.ec2;
    const tags = [{ Key: 'gbrowse-aws-balancer:master', Value: 'another master' }];
    const data = {
      ImageId: 'ami-0a254c1f7e93b8d60',
      TagSpecifications: [{ ResourceType: 'instance' as const, Tags: tags }],
    };
    const { LaunchTemplate } = await world.clock.run(
      ec2('CreateLaunchTemplate', { LaunchTemplateName: 'others', LaunchTemplateData: data }),
    );
    const answer = await world.clock.run(
      ec2('CreateFleet', {
        Type: 'instant',
        TargetCapacitySpecification: { TotalTargetCapacity: 2, DefaultTargetCapacityType: 'spot' },
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
