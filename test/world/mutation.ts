import type { Edges } from '../../src/balancer/loop.ts';
import type { State } from '../../src/balancer/state.ts';
import type { Clock } from '../../src/clock.ts';
import type { Config } from '../../src/config/config.ts';
import type { Ec2 } from '../../src/ec2/api.ts';

export type PlainEdges = Omit<Edges, 'fleet'> & { readonly ec2: Ec2 };

/**
 * A bug that is planted from outside: other edges, another configuration, or a hand in the balancer's memory. Called
 * for each process that starts.
 */
export type Mutation = (
  edges: PlainEdges,
  context: {
    readonly clock: Clock;
    /** The number of the process: 1 is the first. */
    readonly run: number;
    /** Ends the process, as `process.exit()` in the midst of it does. */
    readonly exit: () => void;
  },
) => {
  readonly edges?: Partial<Omit<Edges, 'fleet'>>;
  readonly ec2?: Ec2;
  readonly config?: (config: Config) => Config;
  /** Before each decision. */
  readonly meddle?: (state: State) => void;
};
