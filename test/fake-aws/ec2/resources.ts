/** One source of one range of ports, as EC2 keeps rules. Ports -1 stand for all. */
export type GroupRule = {
  readonly id: string;
  readonly protocol: string;
  readonly fromPort: number;
  readonly toPort: number;
  readonly source: { readonly kind: 'IPv4' | 'IPv6' | 'group'; readonly value: string };
  readonly description?: string;
};

/** The capacity of one type in one zone. */
export type Pool = {
  readonly instanceType: string;
  readonly zone: string;
  /** US dollars an hour. */
  price: number;
  /** The prices that it had before, each with the moment from which it held. */
  readonly past: { readonly at: number; readonly price: number }[];
  /** Instances that it holds, those that run included. */
  capacity: number;
  /** Instances that it holds on demand, those that run included. */
  onDemandCapacity: number;
  /** An error code that it answers every request with, for the odder ones of CreateFleet's `Errors[]`. */
  refusal: string | undefined;
};
