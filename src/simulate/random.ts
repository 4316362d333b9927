/** A source of chance that a seed determines: the same seed gives the same world. */
export type Random = {
  /** From 0 up to, not including, 1. */
  next(): number;
  /** A whole number from 0 up to, not including, `below`. */
  integer(below: number): number;
  /** True this often; draws nothing for 0 and 1. */
  chance(probability: number): boolean;
  /** @throws for an empty list */
  pick<T>(list: readonly T[]): T;
  /** A source of its own for `name`: what is drawn from it changes nothing here, and the other way round. */
  fork(name: string): Random;
};

/** A duration in ms, or the range that one is drawn from. */
export type Delay = number | readonly [from: number, to: number];

/** A duration in whole ms. */
export function draw(random: Random, delay: Delay): number {
  if (typeof delay === 'number') return delay;
  const [from, to] = delay;
  return from === to ? from : Math.round(from + random.next() * (to - from));
}

/** A small, fast generator (sfc32), seeded by any text or number. Not for secrets. */
export function createRandom(seed: string | number): Random {
  const name = String(seed);
  let [a, b, c, counter] = [hash(name, 1), hash(name, 2), hash(name, 3), 1];

  function next(): number {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 0x1_0000_0000;
  }

  // Seeds that differ in one bit give sequences that look alike at first.
  for (let round = 0; round < 12; round++) next();

  return {
    next,
    integer: below => Math.floor(next() * below),
    chance: probability => probability >= 1 || (probability > 0 && next() < probability),
    pick(list) {
      const index = Math.floor(next() * list.length);
      for (const item of list.slice(index, index + 1)) return item;
      throw new Error('pick: the list is empty');
    },
    fork: child => createRandom(`${name}/${child}`),
  };
}

/** 32 bits out of a text (FNV-1a with a final mix). */
function hash(text: string, salt: number): number {
  let h = 0x811c9dc5 ^ Math.imul(salt, 0x9e3779b1);
  for (let index = 0; index < text.length; index++) h = Math.imul(h ^ text.charCodeAt(index), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
