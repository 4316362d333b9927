import type { InstanceTypeInfo } from '@aws-sdk/client-ec2';
import type { ZonePrice } from '../spot/prices.ts';

/** Number of types that are proposed; more are hardly ever cheaper. */
const HOW_MANY = 4;
/** With fewer types, slaves are interrupted more often. */
export const LEAST_TYPES = 3;

/** The types to propose if EC2 cannot be asked; in every region since 2021. */
export const USUAL_TYPES = {
  x86_64: ['m5.large', 'm6i.large', 'm5a.large'],
  arm64: ['m6g.large', 'm7g.large', 'r6g.large'],
} as const;

export type Architecture = keyof typeof USUAL_TYPES;

/**
 * The types to propose for slaves: of the current generation, of the image's architecture, sold as spot instances, with a
 * processor of their own (no burst credits), without accelerators, and today's cheapest.
 *
 * @param offered the region's types of the size that a slave needs
 * @returns at least three; the usual ones where fewer are offered
 */
export function proposeTypes(
  offered: readonly InstanceTypeInfo[],
  prices: readonly ZonePrice[],
  architecture: Architecture,
): readonly string[] {
  const usable = offered.flatMap(it => {
    const name = it.InstanceType;
    const fits =
      it.CurrentGeneration !== false &&
      it.BareMetal !== true &&
      it.GpuInfo === undefined &&
      it.FpgaInfo === undefined &&
      it.InferenceAcceleratorInfo === undefined &&
      it.NeuronInfo === undefined &&
      it.MediaAcceleratorInfo === undefined &&
      it.BurstablePerformanceSupported !== true &&
      it.SupportedUsageClasses?.includes('spot') !== false &&
      it.ProcessorInfo?.SupportedArchitectures?.includes(architecture) !== false;
    const lowest = lowestPrice(prices, name ?? '');
    return name !== undefined && fits && lowest !== undefined ? [{ name: `${name}`, lowest }] : [];
  });
  const cheapest = usable.toSorted((a, b) => a.lowest - b.lowest || (a.name < b.name ? -1 : 1));
  return cheapest.length < LEAST_TYPES
    ? USUAL_TYPES[architecture]
    : cheapest.slice(0, HOW_MANY).map(it => it.name);
}

/** Today's lowest price (dollars an hour) of a type; undefined where it is not sold. */
export function lowestPrice(prices: readonly ZonePrice[], type: string): number | undefined {
  const all = prices.filter(it => it.type === type).map(it => it.dollars);
  return all.length === 0 ? undefined : Math.min(...all);
}

/** Spot prices move by this much within weeks. */
const HEADROOM = 1.5;

/** A bid (dollars an hour, whole cents) that buys each of the types for a while; undefined where no price is known. */
export function proposeBid(prices: readonly ZonePrice[], types: readonly string[]): number | undefined {
  const lowest = types.map(type => lowestPrice(prices, type)).filter(it => it !== undefined);
  if (lowest.length === 0) return undefined;
  return Math.max(0.01, Math.ceil(Math.max(...lowest) * HEADROOM * 100) / 100);
}
