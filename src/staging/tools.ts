import type { Clock } from '../clock.ts';
import type { Ec2 } from '../ec2/api.ts';
import type { Phases } from './phases.ts';
import type { Report } from './report.ts';

/** What a command gives to the work with a temporary instance. */
export type GivenTools = {
  /** Makes one attempt per call. */
  readonly ec2: Ec2;
  readonly clock: Clock;
  readonly report: Report;
  /** Aborts when somebody wants it to end. */
  readonly signal: AbortSignal;
  /** The master's address as EC2 sees it, if nothing else gives it. */
  findAddress(): Promise<string>;
};

/** The tools for working with a temporary instance. */
export type Tools = {
  /** Waits for what passes by itself. */
  readonly ec2: Ec2;
  /** Makes one attempt per call. */
  readonly ec2Once: Ec2;
  readonly clock: Clock;
  readonly report: Report;
  readonly phases: Phases;
  /** Aborts when somebody wants it to end. */
  readonly signal: AbortSignal;
};
