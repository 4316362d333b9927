import type { SignOfLife } from '../spot/tags.ts';

/** The kinds of resource that this program makes in EC2, in the order in which they can be removed. */
export const KINDS = [
  'instance',
  'spot request',
  'volume',
  // Before its snapshots, which it keeps from being deleted.
  'image',
  'snapshot',
  'launch template',
  'security group',
] as const;

export type Kind = (typeof KINDS)[number];

/** Something in EC2 that carries the ownership tag. Times are wall clock ms. */
export type Resource = {
  readonly kind: Kind;
  readonly id: string;
  /** The value of its ownership tag. */
  readonly master: string;
  /** The run of `sync` or `image` that it was made for; unset: it is a balancer's. */
  readonly sync?: string;
  /** Unset for a security group: EC2 does not say since when it exists. */
  readonly bornAt?: number;
  /** What it is, in a few words. */
  readonly what: string;
  /** US dollars that it has cost so far, at most; unset when nothing is known of its price. */
  readonly cost?: number;
  /** A complete snapshot of `sync` or image of `image`: what these are there for, not a leftover of them. */
  readonly isData?: true;
  /** A snapshot that belongs to an image. */
  readonly ofImage?: true;
  readonly alive?: SignOfLife;
};
