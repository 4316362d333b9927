import type { Finding } from './finding.ts';
import type { World } from './world.ts';

/** One thing that `check` looks at. It changes nothing anywhere. */
export type Topic = {
  /** A word or two, at the beginning of its lines. */
  readonly name: string;
  /**
   * @throws `NotLookedAt` for want of something that is another topic's; `Ec2Error`, `UserError` for what the finding is
   *   then made from
   */
  look(world: World): Promise<readonly Finding[]>;
};
