import type { Ec2Action, Ec2Actions } from '../../../src/ec2/api.ts';
import type { Random } from '../../../src/simulate/random.ts';

/** Something that goes wrong with calls. */
export type Fault = {
  /** Which calls; all of them when unset. */
  readonly action?: Ec2Action | readonly Ec2Action[];
  /** Which of their requests. */
  readonly match?: (request: Ec2Actions[Ec2Action][0]) => boolean;
  /** Before the call has its effect (unless told), or after: then it has happened and the caller does not know. */
  readonly when?: 'before' | 'after';
  /** How many calls it hits; no end when unset. */
  readonly count?: number;
  /** How many of the calls that it fits it hits, 0 to 1; all when unset. */
  readonly probability?: number;
} & (
  | {
      /** EC2's error code, or `NoAnswer` for a connection that breaks. */
      readonly code: string;
      readonly message?: string;
      readonly httpStatus?: number;
    }
  | {
      /** No answer, until the caller gives up. */
      readonly hang: true;
    }
);

export type Faults = {
  /** @returns takes it away again */
  add(fault: Fault): () => void;
  clear(): void;
};

/** The faults that are to come; the first that fits a call hits it. */
export function createFaults(random: Random): Faults & {
  take(action: Ec2Action, request: Ec2Actions[Ec2Action][0]): Fault | undefined;
} {
  let faults: { readonly fault: Fault; left: number }[] = [];
  return {
    add(fault) {
      const entry = { fault, left: fault.count ?? Number.POSITIVE_INFINITY };
      faults.push(entry);
      return () => {
        faults = faults.filter(it => it !== entry);
      };
    },
    clear() {
      faults = [];
    },
    take(action, request) {
      const hit = faults.find(
        ({ fault }) => fits(fault, action, request) && random.chance(fault.probability ?? 1),
      );
      if (hit === undefined) return undefined;
      hit.left--;
      if (hit.left <= 0) faults = faults.filter(it => it !== hit);
      return hit.fault;
    },
  };
}

function fits(fault: Fault, action: Ec2Action, request: Ec2Actions[Ec2Action][0]): boolean {
  const actions = fault.action === undefined ? [action] : [fault.action].flat();
  return actions.includes(action) && (fault.match?.(request) ?? true);
}
