import { setFlagsFromString } from 'node:v8';
import type { Given } from '../given.ts';

/**
 * `gbrowse-aws-balancer simulate`: replays a load through the policy on a simulated spot market.
 *
 * @returns the exit status
 */
export async function simulate(given: Given<'simulate'>): Promise<number> {
  // The executable sets V8 up for a daemon, small and slow. This is no daemon: code compiled from here on is fast.
  for (const flag of ['--sparkplug', '--maglev', '--opt', '--no-optimize-for-size']) setFlagsFromString(flag);
  return (await import('../../simulate/command.ts')).command(given);
}
