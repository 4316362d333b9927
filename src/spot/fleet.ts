import type { Config } from '../config/config.ts';
import type { Ec2 } from '../ec2/api.ts';
import { isGone, isInUse, unlessGone } from '../ec2/errors.ts';
import type { Site } from '../master/site.ts';
import { describeSlaves } from './describe-slaves.ts';
import {
  createFleetRequest,
  type LaunchOutcome,
  type LaunchPlan,
  type LaunchRequest,
  outcomeOf,
  type Pool,
} from './launch.ts';
import { deleteTemplate, ensureLaunchTemplates, findOwnTemplates, templateData } from './launch-template.ts';
import { onDemandPrice } from './list-prices.ts';
import { ensureSecurityGroup, findOwnGroups } from './security-group.ts';
import type { Slave } from './slave.ts';
import { survey } from './survey.ts';
import { DRAINING_TAG, isBalancers, markAlive, ownedBy } from './tags.ts';
import { createVolumeCost } from './volume-cost.ts';

/** The spot manager: everything that the balancer does in EC2. Each call throws `Ec2Error`, or `UserError`. */
export type SpotFleet = {
  /** This master's slaves as EC2 shows them now, those that ended within the last hour among them. */
  describeSlaves(): Promise<readonly Slave[]>;
  /** The staging instances of this master's `sync` and `image` that the last answer showed: they cost money too. */
  staging(): readonly Slave[];
  /**
   * Makes sure that security group and launch template exist and are right.
   *
   * @param portsInUse on which slaves listen that were launched with another configuration: they stay open too
   */
  prepare(config: Config, portsInUse?: readonly number[]): Promise<LaunchPlan>;
  launch(request: LaunchRequest): Promise<LaunchOutcome>;
  /** Writes down, on the instances, since when (wall clock ms) they have been draining. */
  markDraining(instanceIds: readonly string[], since: number): Promise<void>;
  /**
   * Writes the activity tag (wall clock ms) on the launch templates: those of the plan, or any of this master's that are
   * found.
   *
   * @returns false when there is none, and so nothing that `gc` could take for a leftover
   */
  markAlive(now: number, templateIds?: readonly string[]): Promise<boolean>;
  /** @returns the ids that EC2 does not know: long gone, or so new that it does not show them yet */
  terminate(instanceIds: readonly string[]): Promise<readonly string[]>;
  /**
   * Cancels open requests and deletes the launch templates and the security group.
   *
   * @returns false while EC2 keeps the group because instances that are ending still use it
   */
  tidy(): Promise<boolean>;
};

type SpotFleetSettings = {
  readonly ec2: Ec2;
  readonly site: Site;
  /** Called when the site does not know the master's address, which may change. */
  readonly findAddress: () => Promise<string>;
  /** Where the databases are on the master, if `[MASTER] databases` does not say. */
  readonly databases?: string;
};

const SSH_PORT = 22;

/** The pools whose price on demand is known: a budget can only be held with a price. Undefined when there is none. */
function onDemandIn(
  pools: readonly Pool[],
  region: string | undefined,
): { readonly pools: readonly Pool[]; readonly dearest: number } | undefined {
  const priced = pools.flatMap(pool => {
    const price = onDemandPrice(pool.instanceType, region);
    return price === undefined ? [] : [{ pool, price }];
  });
  if (priced.length === 0) return undefined;
  return { pools: priced.map(it => it.pool), dearest: Math.max(...priced.map(it => it.price)) };
}

export function createSpotFleet(settings: SpotFleetSettings): SpotFleet {
  const { ec2, site } = settings;
  let staging: readonly Slave[] = [];
  const volumeCost = createVolumeCost(ec2);

  async function prepare(config: Config, portsInUse: readonly number[] = []): Promise<LaunchPlan> {
    const { slave } = config;
    const ports = [...new Set([...slave.ports, ...portsInUse])];
    const databases = config.master.databases?.[0] ?? settings.databases;
    const { image, vpcId, pools, securityGroupId: given } = await survey(ec2, site, slave);
    const securityGroupId =
      given ??
      (await ensureSecurityGroup(ec2, site.name, vpcId, {
        address: site.address ?? (await settings.findAddress()),
        ports: slave.sshKey === undefined ? ports : [...ports, SSH_PORT],
      }));
    const source = { site, slave, image, securityGroupId, ...(databases !== undefined && { databases }) };
    const onDemand = slave.onDemand > 0 ? onDemandIn(pools, site.region) : undefined;
    const { ids, found } = await ensureLaunchTemplates(ec2, site.name, [
      templateData(source),
      ...(onDemand === undefined ? [] : [templateData({ ...source, onDemand: true })]),
    ]);
    const [templateId = '', onDemandTemplate = ''] = ids;
    return {
      templateId,
      imageId: image.imageId,
      ...(image.warning !== undefined && { warning: image.warning }),
      found,
      spotBid: slave.spotBid,
      pools,
      volumes: await volumeCost(image, slave.dataSnapshots, site.region),
      ...(onDemand !== undefined && { onDemand: { templateId: onDemandTemplate, ...onDemand } }),
    };
  }

  async function terminate(instanceIds: readonly string[]): Promise<readonly string[]> {
    try {
      await ec2('TerminateInstances', { InstanceIds: [...instanceIds] });
      return [];
    } catch (error) {
      if (!isGone(error)) throw error;
      if (instanceIds.length === 1) return instanceIds;
      // One unknown id fails the whole call, so the others are ended one by one.
      const unknown: string[] = [];
      for (const id of instanceIds) unknown.push(...(await terminate([id])));
      return unknown;
    }
  }

  async function cancelOpenRequests(): Promise<void> {
    const { SpotInstanceRequests = [] } = await ec2('DescribeSpotInstanceRequests', {
      Filters: [ownedBy(site.name), { Name: 'state', Values: ['open', 'active'] }],
    });
    const ids = SpotInstanceRequests.filter(isBalancers).flatMap(it => it.SpotInstanceRequestId ?? []);
    if (ids.length > 0) await ec2('CancelSpotInstanceRequests', { SpotInstanceRequestIds: ids });
  }

  return {
    describeSlaves: () =>
      describeSlaves(ec2, site.name, site.reach, shown => {
        staging = shown;
      }),
    staging: () => staging,
    prepare,
    launch: async request => outcomeOf(await ec2('CreateFleet', createFleetRequest(request, site.name))),
    markDraining: async (instanceIds, since) => {
      const Tags = [{ Key: DRAINING_TAG, Value: new Date(since).toISOString() }];
      await ec2('CreateTags', { Resources: [...instanceIds], Tags });
    },
    markAlive: async (now, templateIds) => {
      const ids = templateIds ?? (await findOwnTemplates(ec2, site.name)).map(it => it.id);
      if (ids.length === 0) return false;
      // The next launch sees that it is gone.
      await unlessGone(markAlive(ec2, ids, now));
      return true;
    },
    terminate,
    tidy: async () => {
      await cancelOpenRequests();
      for (const template of await findOwnTemplates(ec2, site.name)) await deleteTemplate(ec2, template.id);
      let done = true;
      for (const group of await findOwnGroups(ec2, site.name)) {
        if (group.GroupId === undefined) continue;
        try {
          await unlessGone(ec2('DeleteSecurityGroup', { GroupId: group.GroupId }));
        } catch (error) {
          if (!isInUse(error)) throw error;
          done = false;
        }
      }
      return done;
    },
  };
}
