import { HOUR } from '../clock.ts';
import type { Market } from './market.ts';
import { type Delay, draw, type Random } from './random.ts';

/** What happens to instances by chance. */
export type World = {
  readonly market: Market;
  /** From launch to answering, ms. */
  readonly bootTime: Delay;
  /** How often EC2 takes an instance back, an instance and hour. */
  readonly interruptions: number;
  readonly random: Random;
};

/**
 * The boot time and the age at which EC2 takes it back (Infinity: never) of the n-th instance. The n-th is the same
 * under every policy, so that policies differ by what they do, not by luck.
 */
export function lifetimeOf(
  world: World,
  n: number,
): { readonly bootTime: number; readonly lifetime: number } {
  const { bootTime, interruptions } = world;
  if (typeof bootTime === 'number' && interruptions === 0)
    return { bootTime, lifetime: Number.POSITIVE_INFINITY };
  const own = world.random.fork(`instance ${n}`);
  const boot = draw(own, bootTime);
  const lifetime =
    interruptions === 0 ? Number.POSITIVE_INFINITY : (-Math.log(1 - own.next()) / interruptions) * HOUR;
  return { bootTime: boot, lifetime };
}
