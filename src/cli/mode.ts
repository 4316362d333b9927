import type { Balancer, Edges } from '../balancer/loop.ts';
import type { SdkEc2 } from '../ec2/sdk.ts';
import type { Farm } from '../farm/farm.ts';
import type { SlaveFigures } from '../farm/slave-figures.ts';
import type { OpenLog } from '../log/create.ts';
import type { Log } from '../log/log.ts';
import type { Site } from '../master/site.ts';
import type { SpotFleet } from '../spot/fleet.ts';

/** How a balancer acts on what it decides. */
type Acting = Pick<Edges, 'observe' | 'prices'> & {
  fleetAt(site: Site): SpotFleet;
  readonly farm: Farm;
  readonly runId: string;
  /** Is told what a slave says of itself when it is probed. */
  hearSlave?(address: string, figures: SlaveFigures): void;
  /** Whether what was spent is kept for the next start. */
  readonly keepsSpending: boolean;
};

/**
 * The differences between a balancer that acts and one that only says what it would do. Its functions are called in
 * this order.
 */
export type Mode = {
  /** What is done with the log of the process. */
  log(log: OpenLog): OpenLog;
  /**
   * The site is known, and EC2 has not been called yet.
   *
   * @param stateDirectory `[MASTER] state_directory`
   * @throws {UserError} when another balancer serves this master
   */
  enter(site: Site, stateDirectory: string): Promise<void>;
  act(on: { readonly sdk: SdkEc2; readonly farm: Farm; readonly log: OpenLog }): Promise<Acting>;
  /** The balancer runs: what signals act on, and the log that says so. */
  started(balancer: Balancer, log: OpenLog): { readonly balancer: Balancer; readonly log: Log };
  /** Apache has been asked for its load once, so the start is complete. */
  ready(): Promise<void>;
  /** SIGHUP was received. */
  reloading(): void;
  /** How the balancer ended, in words, and the exit status. */
  farewell(end: Awaited<Balancer['ended']>): { readonly message: string; readonly status: 0 | 1 };
  /** Called always, and last. */
  close(): Promise<void>;
};
