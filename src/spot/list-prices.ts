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
  m7a: 0.11592,
  m7g: 0.0816,
  m7i: 0.1008,
  c4: 0.1,
  c5: 0.085,
  c5a: 0.077,
  c6a: 0.0765,
  c6g: 0.068,
  c6i: 0.085,
  c7g: 0.0725,
  c7i: 0.08925,
  r4: 0.133,
  r5: 0.126,
  r5a: 0.113,
  r6g: 0.1008,
  r6i: 0.126,
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

/** What an instance costs an hour on demand, US dollars, in us-east-1; undefined for a type that is not in the list. */
export function onDemandPrice(instanceType: string): number | undefined {
  const [family = '', size = ''] = instanceType.split('.');
  const [large, factor] = [LARGE[family], sizeFactor(size)];
  return large === undefined || factor === undefined ? undefined : large * factor;
}

/** US dollars a GiB-month of stored snapshot data, us-east-1 (https://aws.amazon.com/ebs/pricing/). */
export const SNAPSHOT_PRICE = 0.05;
