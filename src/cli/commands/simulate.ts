import { setFlagsFromString } from 'node:v8';
import type { Given } from '../given.ts';

/**
 * `gbrowse-aws-balancer simulate`: replays a load through the policy on a simulated spot market.
 *
 * @returns the exit status
 */
export async function simulate(given: Given<'simulate'>): Promise<number> {
  // The executable runs V8 as a daemon wants it, small and slow. This is no daemon; what is compiled from here on is fast.
  for (const flag of ['--sparkplug', '--maglev', '--opt', '--no-optimize-for-size']) setFlagsFromString(flag);
  return (await import('../../simulate/command.ts')).command(given);
}
