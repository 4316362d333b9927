import { SECOND } from '../../../src/clock.ts';
import type { Delay } from '../../../src/simulate/random.ts';

export type SubnetSettings = {
  readonly id: string;
  readonly zone: string;
  /** Private addresses come from here; the first four and the last are AWS's. */
  readonly cidr: string;
  /** Whether its route table leads to an internet gateway; it does when unset. */
  readonly isRouted?: boolean;
};

export type ImageSettings = {
  readonly id: string;
  readonly name: string;
  readonly owner: string;
  /** `amazon`, `aws-marketplace`. */
  readonly ownerAlias?: string;
  readonly createdAt: string;
  /** Since when its owner has deprecated it. */
  readonly deprecatedAt?: string;
  /** Further EBS devices, with their snapshots; they outlive an instance unless the launch says otherwise. */
  readonly dataDevices?: Readonly<Record<string, string>>;
  readonly rootSnapshot: string;
};

/** What the simulated account and region are like. Durations in ms. */
export type Ec2Settings = {
  readonly region: string;
  readonly accountId: string;
  /** From sending a call to having its answer; the effect is in the middle. */
  readonly latency: Delay;
  /** How long the caller's client waits for an answer. */
  readonly timeLimit: number;
  /** How far what the Describe actions show of an instance, and of tags, is behind the truth. */
  readonly lag: Delay;
  /** From pending to running. */
  readonly pendingTime: Delay;
  /** From shutting-down to terminated. */
  readonly shutdownTime: Delay;
  readonly vpcId: string;
  /** All in the default VPC; the first of each zone is the default one of the zone. */
  readonly subnets: readonly SubnetSettings[];
  /** Public addresses come from here. */
  readonly publicCidr: string;
  readonly images: readonly ImageSettings[];
  /** From the beginning of a snapshot to its completion. */
  readonly snapshotTime: Delay;
  /** Size in GiB by id, of those that are there from the beginning. */
  readonly snapshots: Readonly<Record<string, number>>;
  readonly keyPairs: readonly string[];
  /** Spot price, US dollars an hour: of a type, or of a type in each zone that offers it. */
  readonly prices: Readonly<Record<string, number | Readonly<Record<string, number>>>>;
  /** How many spot instances the account may have. (EC2 counts vCPUs.) */
  readonly spotQuota: number;
  /** How many calls the record keeps, the latest. */
  readonly callsKept: number;
};

/** A small account in us-west-2, the region of the manual's example. */
export const DEFAULT_EC2_SETTINGS: Ec2Settings = {
  region: 'us-west-2',
  accountId: '111122223333',
  latency: [80, 240],
  timeLimit: 20 * SECOND,
  lag: [0, 2 * SECOND],
  pendingTime: [4 * SECOND, 15 * SECOND],
  shutdownTime: [10 * SECOND, 40 * SECOND],
  vpcId: 'vpc-0d2f8a1c94b7e6350',
  subnets: [
    { id: 'subnet-0a6c1d9e5b3f80a01', zone: 'us-west-2a', cidr: '172.31.0.0/20' },
    { id: 'subnet-0b7d2eaf6c4091b02', zone: 'us-west-2b', cidr: '172.31.16.0/20' },
    { id: 'subnet-0c8e3fb07d51a2c03', zone: 'us-west-2c', cidr: '172.31.32.0/20' },
  ],
  publicCidr: '198.18.128.0/17',
  images: [
    {
      id: 'ami-0a254c1f7e93b8d60',
      name: 'GBrowse-2.54',
      owner: '111122223333',
      createdAt: '2025-03-01T10:00:00.000Z',
      rootSnapshot: 'snap-0f00d1e5a7b3c9000',
    },
    {
      id: 'ami-0bad00c0ffee00bad',
      name: 'GBrowse-2.54',
      owner: '999988887777',
      createdAt: '2025-09-09T10:00:00.000Z',
      rootSnapshot: 'snap-0bad00c0ffee00bad',
    },
    {
      id: 'ami-0deb1a12000000000',
      name: 'debian-12-amd64-20250703-2162',
      owner: '136693071363',
      ownerAlias: 'amazon',
      createdAt: '2025-07-03T00:00:00.000Z',
      rootSnapshot: 'snap-0deb1a12000000000',
    },
  ],
  snapshotTime: [30 * SECOND, 300 * SECOND],
  snapshots: {
    'snap-0f00d1e5a7b3c9000': 8,
    'snap-0bad00c0ffee00bad': 8,
    'snap-0deb1a12000000000': 8,
    'snap-0123456789abcdef0': 20,
    'snap-0fedcba9876543210': 100,
  },
  keyPairs: ['gbrowse'],
  prices: {
    'm1.large': { 'us-west-2a': 0.0175, 'us-west-2b': 0.0175, 'us-west-2c': 0.0202 },
    'm5.large': { 'us-west-2a': 0.0384, 'us-west-2b': 0.0351, 'us-west-2c': 0.0402 },
    'm6i.large': { 'us-west-2a': 0.0367, 'us-west-2b': 0.0408, 'us-west-2c': 0.0331 },
    'c5.large': 0.0329,
    'r5.large': 0.0447,
    'm7i.xlarge': { 'us-west-2a': 0.0871, 'us-west-2c': 0.0794 },
  },
  spotQuota: 64,
  callsKept: 10_000,
};
