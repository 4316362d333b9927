import type { Finding } from './finding.ts';
import type { World } from './world.ts';

/** One thing that `check` checks. It changes nothing anywhere. */
export type Topic = {
  /** A word or two, which its lines begin with. */
  readonly name: string;
  /**
   * @throws `NotChecked` when something is missing that another topic reports; `Ec2Error` and `UserError`, which become
   *   the finding
   */
  check(world: World): Promise<readonly Finding[]>;
};
