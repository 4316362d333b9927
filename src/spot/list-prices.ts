/**
 * US dollars an hour for the size "large" of a family, on demand, Linux, us-east-1 (https://aws.amazon.com/ec2/pricing/);
 * other regions cost up to half as much again. A family's price is proportional to the size.
 */
const LARGE: Readonly<Record<string, number>> = {
  m1: 0.175,
  m3: 0.133,
  m4: 0.1,
  m5: 0.096,
  m5a: 0.086,
  m5d: 0.113,
  m5n: 0.119,
  m6a: 0.0864,
  m6g: 0.077,
  m6i: 0.096,
  m6id: 0.11865,
  m7a: 0.11592,
  m7g: 0.0816,
  m7i: 0.1008,
  'm7i-flex': 0.09576,
  m8g: 0.08976,
  c3: 0.105,
  c4: 0.1,
  c5: 0.085,
  c5a: 0.077,
  c5d: 0.096,
  c5n: 0.108,
  c6a: 0.0765,
  c6g: 0.068,
  c6i: 0.085,
  c6id: 0.1008,
  c7a: 0.10264,
  c7g: 0.0725,
  c7i: 0.08925,
  'c7i-flex': 0.08479,
  c8g: 0.07976,
  r3: 0.166,
  r4: 0.133,
  r5: 0.126,
  r5a: 0.113,
  r6g: 0.1008,
  r6i: 0.126,
  r6id: 0.1512,
  r7a: 0.15215,
  r7g: 0.1071,
  r7i: 0.1323,
  r8g: 0.11782,
  t2: 0.0928,
  t3: 0.0832,
  t3a: 0.0752,
  t4g: 0.0672,
  i3: 0.156,
  i4i: 0.172,
};

/** How many times "large" a size is. */
function sizeFactor(size: string): number | undefined {
  const fixed: Readonly<Record<string, number>> = {
    nano: 1 / 16,
    micro: 1 / 8,
    small: 1 / 4,
    medium: 1 / 2,
    large: 1,
    xlarge: 2,
  };
  const multiple = /^(\d+)xlarge$/.exec(size)?.[1];
  return multiple === undefined ? fixed[size] : 2 * Number(multiple);
}

/** Regions with the prices of the list. */
const AT_PAR = ['us-east-1', 'us-east-2', 'us-west-2'];

/** Other regions cost up to half as much again. */
const DEAREST_REGION = 1.5;

/**
 * What an instance costs an hour on demand, US dollars; undefined for a type that is not in the list.
 *
 * @param region of which it is the price at the most; without it the price in us-east-1
 */
export function onDemandPrice(instanceType: string, region = 'us-east-1'): number | undefined {
  const [family = '', size = ''] = instanceType.split('.');
  const [large, factor] = [LARGE[family], sizeFactor(size)];
  if (large === undefined || factor === undefined) return undefined;
  return large * factor * regionFactor(region);
}

function regionFactor(region: string): number {
  return AT_PAR.includes(region) ? 1 : DEAREST_REGION;
}

/** The region of a zone, such as `us-west-2a`, or of a local zone, such as `us-west-2-lax-1a`. */
export function regionOf(zone: string): string {
  return /^[a-z]+(-[a-z]+)+-\d+/.exec(zone)?.[0] ?? zone;
}

/** AWS counts a month as 730 hours. */
export const HOURS_A_MONTH = 730;

/**
 * US dollars a GiB-month of a volume by its type: https://aws.amazon.com/ebs/pricing/, us-east-1 and us-west-2 (other
 * regions cost up to twice as much). Additional IOPS and throughput are not in it; the program never asks for any.
 */
export const VOLUME_PRICES: Readonly<Record<string, number>> = { gp3: 0.08, gp2: 0.1 };

/** Of a volume whose type is not in the list: the price of io2, the dearest type. */
const DEAREST_VOLUME = 0.125;

/** A volume that is made for each slave: GiB, and EBS's name of its type. */
export type SlaveVolume = { readonly size: number; readonly type: string };

/** What volumes cost an hour, US dollars. @param region of which it is the price at the most; see `onDemandPrice` */
export function volumesPerHour(volumes: readonly SlaveVolume[], region = 'us-east-1'): number {
  const month = volumes.reduce(
    (sum, { size, type }) => sum + size * (VOLUME_PRICES[type] ?? DEAREST_VOLUME),
    0,
  );
  return (month / HOURS_A_MONTH) * regionFactor(region);
}

/** US dollars a GiB-month of stored snapshot data, us-east-1 (https://aws.amazon.com/ebs/pricing/). */
export const SNAPSHOT_PRICE = 0.05;
