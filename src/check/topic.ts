import type { Finding } from './finding.ts';
import type { World } from './world.ts';

/** One thing that `check` checks. It changes nothing anywhere. */
export type Topic = {
  /** A word or two, which its lines begin with. */
  readonly name: string;
  /**
   * @throws `NotLookedAt` when something is missing that another topic reports; `Ec2Error` and `UserError`, which become
   *   the finding
   */
  look(world: World): Promise<readonly Finding[]>;
};
