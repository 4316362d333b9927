import { grouped } from './numbers.ts';

/**
 * A sum in US dollars: `$0`, `$1,204`, `$1.20`, and small sums with the digits that they need: `$0.03`, `$0.005`,
 * `$0.0043`; `<$0.001` for less than that but not zero.
 */
export function dollars(sum: number): string {
  if (sum < 0) return `-${dollars(-sum)}`;
  if (sum === 0) return '$0';
  if (sum < 0.001) return '<$0.001';
  if (sum >= 999.5) return `$${grouped(sum)}`;
  return sum >= 0.095 ? `$${sum.toFixed(2)}` : price(sum);
}

/** A price of US dollars an hour, to the hundredth of a cent: `$0.05`, `$0.128`, `$0.0312`. */
export function price(perHour: number): string {
  return `$${perHour.toFixed(4).replace(/0{1,2}$/, '')}`;
}
