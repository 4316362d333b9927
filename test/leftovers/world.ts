import type { Tag } from '@aws-sdk/client-ec2';
import { HOUR, SECOND } from '../../src/clock.ts';
import { type FindOptions, findLeftovers, type Leftovers } from '../../src/leftovers/find.ts';
import { type Outcome, removeLeftovers } from '../../src/leftovers/remove.ts';
import type { Resource } from '../../src/leftovers/resource.ts';
import { createRandom } from '../../src/simulate/random.ts';
import { aliveTag, ownTags, SYNC_TAG } from '../../src/spot/tags.ts';
import { createSimulatedEc2 } from '../fake-aws/ec2/simulated-ec2.ts';
import { createVirtualClock } from '../fake-aws/virtual-clock.ts';

export const MASTER = 'web1';
export const HOST = 'web1.example.org';
const IMAGE = 'ami-0a254c1f7e93b8d60';
const DATA = 'snap-0123456789abcdef0';

/** An account, and the locks of this machine. */
export function createWorld() {
  const clock = createVirtualClock();
  const { ec2, account, faults, terminate, calls } = createSimulatedEc2({
    clock,
    random: createRandom('leftovers'),
    settings: { latency: 0, lag: 0, pendingTime: 10 * SECOND, shutdownTime: 20 * SECOND, snapshotTime: HOUR },
  });
  const locks = new Set<string>();
  let made = 0;

  /** What a balancer, or a run of sync, makes: a group, a template, instances with a volume that outlives them. */
  async function launch(
    master: string | undefined,
    count: number,
    sync?: string,
  ): Promise<readonly string[]> {
    const tags: Tag[] = tagsOf(master, sync);
    const name = `${master ?? 'nobody'} ${++made}`;
    const spec = <T extends string>(ResourceType: T) =>
      tags.length === 0 ? [] : [{ ResourceType, Tags: tags }];
    const { GroupId = '' } = await ec2('CreateSecurityGroup', {
      GroupName: name,
      Description: 'slaves',
      TagSpecifications: spec('security-group'),
    });
    const { LaunchTemplate } = await ec2('CreateLaunchTemplate', {
      LaunchTemplateName: name.replaceAll(' ', '/'),
      LaunchTemplateData: {
        ImageId: IMAGE,
        SecurityGroupIds: [GroupId],
        BlockDeviceMappings: [{ DeviceName: '/dev/sdg', Ebs: { SnapshotId: DATA, VolumeType: 'gp3' } }],
        TagSpecifications: [...spec('volume'), ...spec('instance'), ...spec('spot-instances-request')],
      },
      TagSpecifications: spec('launch-template'),
    });
    if (count === 0) return [];
    const { Instances = [] } = await ec2('CreateFleet', {
      Type: 'instant',
      TargetCapacitySpecification: { TotalTargetCapacity: count, DefaultTargetCapacityType: 'spot' },
      LaunchTemplateConfigs: [
        {
          LaunchTemplateSpecification: {
            LaunchTemplateId: LaunchTemplate?.LaunchTemplateId ?? '',
            Version: '1',
          },
          Overrides: [{ InstanceType: 'c5.large', MaxPrice: '0.1' }],
        },
      ],
    });
    return Instances.flatMap(it => it.InstanceIds ?? []);
  }

  const world = {
    clock,
    ec2,
    account,
    faults,
    terminate,
    calls,
    /** Locks that processes of this machine hold. */
    locks,
    launch,
    /** Takes snapshots of an instance's data; they are complete after an hour. */
    async snapshot(instance: string, master: string, sync: string): Promise<void> {
      await ec2('CreateSnapshots', {
        InstanceSpecification: { InstanceId: instance, ExcludeBootVolume: true },
        TagSpecifications: [{ ResourceType: 'snapshot', Tags: tagsOf(master, sync) }],
      });
    },
    async sign(id: string, host: string): Promise<void> {
      await ec2('CreateTags', { Resources: [id], Tags: [aliveTag(clock.wall(), host)] });
    },
    template: (master: string) =>
      account.launchTemplates().find(it => it.tags['gbrowse-aws-balancer:master'] === master)?.id ?? '',
    find(options: Partial<FindOptions> = {}): Promise<Leftovers> {
      return findLeftovers(ec2, {
        master: MASTER,
        host: HOST,
        now: clock.wall(),
        isLockHeld: name => Promise.resolve(locks.has(name)),
        ...options,
      });
    },
    /** Removes what is left over; gives a line for each. */
    async remove(options: Partial<FindOptions> = {}): Promise<readonly string[]> {
      const outcomes: Outcome[] = [];
      const found = await world.find(options);
      const removing = removeLeftovers(
        ec2,
        found.masters.flatMap(it => it.leftovers),
        {
          clock,
          findAgain: () => world.find(options),
          onOutcome: outcome => void outcomes.push(outcome),
          onWait: () => {},
        },
      );
      await clock.run(removing);
      return outcomes.map(it => `${it.resource.kind}: ${it.became}${'why' in it ? `: ${it.why}` : ''}`);
    },
    /** Everything that exists and is not data, as `kind master`. */
    rest: async () => {
      const { masters } = await world.find({ allMasters: true });
      return masters
        .flatMap(it => [...it.leftovers, ...it.held.flatMap(({ resources }) => resources)])
        .map(it => `${it.kind} ${it.master}`);
    },
  };
  return world;
}

function tagsOf(master: string | undefined, sync: string | undefined): Tag[] {
  if (master === undefined) return [];
  return [...ownTags(master), ...(sync === undefined ? [] : [{ Key: SYNC_TAG, Value: sync }])];
}

/** How many there are of each kind: `{ instance: 2 }`. */
export function tally(resources: readonly Resource[]): Record<string, number> {
  return Object.fromEntries(
    [...Map.groupBy(resources, it => it.kind)].map(([kind, all]) => [kind, all.length]),
  );
}
