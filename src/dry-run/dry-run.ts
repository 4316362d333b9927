import { NotDone } from '../balancer/not-done.ts';
import { type Clock, SECOND } from '../clock.ts';
import type { Ec2 } from '../ec2/api.ts';
import type { Farm } from '../farm/farm.ts';
import type { Site } from '../master/site.ts';
import { describeSlaves } from '../spot/describe-slaves.ts';
import type { SpotFleet } from '../spot/fleet.ts';
import type { LaunchRequest } from '../spot/launch.ts';
import type { Slave } from '../spot/slave.ts';
import { survey } from '../spot/survey.ts';
import { sayChanges } from './changes.ts';

/** A task that was not done is decided on again after this time, and compared with what was logged. */
const AGAIN = 15 * SECOND;

export type DryRun = {
  fleetAt(site: Site): SpotFleet;
  farm(real: Farm): Farm;
};

/**
 * The edges of a balancer that only says what it would do: they read the real account and the real farm file, and
 * cannot change them.
 *
 * @param parts.ec2 that refuses every action that changes something
 * @param parts.load the load and the slaves that it calls for, in words
 */
export function dryRun(parts: {
  readonly ec2: Ec2;
  readonly clock: Clock;
  readonly say: (message: string) => void;
  readonly load: () => string;
  /** Stop waiting. */
  readonly signal: AbortSignal;
}): DryRun {
  const { ec2, clock } = parts;
  let staging: readonly Slave[] = [];
  const say = sayChanges(clock, parts.say);

  async function notDone(): Promise<never> {
    await clock.sleep(AGAIN, parts.signal).catch(() => {});
    throw new NotDone();
  }

  function sayLaunch({ count, plan }: LaunchRequest): void {
    const types = [...new Set(plan.pools.map(pool => pool.instanceType))].join(' or ');
    const slaves = count === 1 ? '1 slave' : `${count} slaves`;
    say(
      'launch',
      `${count} ${types} ${plan.spotBid} ${plan.imageId}`,
      `would launch ${slaves} (${parts.load()}): ${types}, for at most $${plan.spotBid} an hour each, from ${plan.imageId}`,
    );
  }

  return {
    fleetAt: site => ({
      describeSlaves: () =>
        describeSlaves(ec2, site.name, site.reach, shown => {
          staging = shown;
        }),
      staging: () => staging,
      async prepare({ slave }) {
        const { image, pools } = await survey(ec2, site, slave);
        return { templateId: '', imageId: image.imageId, found: false, spotBid: slave.spotBid, pools };
      },
      async launch(request) {
        sayLaunch(request);
        return await notDone();
      },
      markDraining: notDone,
      // There is nothing that `gc` could take for a leftover, so this counts as done.
      markAlive: async () => true,
      async terminate(instanceIds) {
        const ids = instanceIds.join(', ');
        say('terminate', ids, `would terminate ${ids}`);
        return await notDone();
      },
      tidy: notDone,
    }),
    farm: real => ({
      read: () => real.read(),
      async write(urls) {
        const list = urls.join(' ');
        const slaves = list === '' ? 'no slave: GBrowse would render locally' : list;
        say('farm', list, `would list in the farm file: ${slaves}`);
        return await notDone();
      },
      // Nothing was written, so Apache needs no reload.
      reload: async () => undefined,
    }),
  };
}
