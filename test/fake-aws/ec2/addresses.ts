/** IPv4 addresses out of one block. */
export type AddressPool = {
  /** The next that is free, round and round; undefined when none is. */
  take(isFree: (address: string) => boolean): string | undefined;
  /** How many there are to give. */
  readonly size: number;
};

/** @param cidr such as `172.31.0.0/20`; its first four addresses and the last are never given, as AWS does it */
export function createAddressPool(cidr: string): AddressPool {
  const [base = '', bits = ''] = cidr.split('/');
  const first = toNumber(base) + 4;
  const size = 2 ** (32 - Number(bits)) - 5;
  if (!(size > 0)) throw new Error(`${cidr} is not a block of IPv4 addresses that has room`);
  let next = 0;
  return {
    take(isFree) {
      for (let tried = 0; tried < size; tried++) {
        const address = toText(first + next);
        next = (next + 1) % size;
        if (isFree(address)) return address;
      }
      return undefined;
    },
    size,
  };
}

/** Whether the address is in the block (`10.0.0.0/8`). */
export function isInBlock(address: string, cidr: string): boolean {
  const [base = '', bits = ''] = cidr.split('/');
  const size = 2 ** (32 - Number(bits));
  return Math.floor(toNumber(address) / size) === Math.floor(toNumber(base) / size);
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
}

function toText(address: number): string {
  return [24, 16, 8, 0].map(shift => (address >>> shift) & 255).join('.');
}
