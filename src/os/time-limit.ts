import { SECOND } from '../clock.ts';
import { failure } from '../errors.ts';

/**
 * Waits for something that may hang (a dead NFS server, a stopped process), but no longer than this. It is not ended at
 * the limit.
 *
 * @param limit ms
 * @param what how an error calls it
 * @throws {UserError} when it takes longer
 */
export async function within<T>(limit: number, what: string, outcome: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(failure(`${what} took longer than ${limit / SECOND} s`)), limit);
  try {
    return await Promise.race([outcome, promise]);
  } finally {
    clearTimeout(timer);
  }
}
