import { failure, usageError } from '../errors.ts';
import { duration } from '../format/durations.ts';
import { alignedRows } from '../format/tables.ts';
import { isLive, type Slave } from '../spot/slave.ts';

/** The slaves that exist, in the order of `status`. */
export function choices(slaves: readonly Slave[]): readonly Slave[] {
  return slaves
    .filter(isLive)
    .toSorted((a, b) => a.launchedAt - b.launchedAt || (a.instanceId < b.instanceId ? -1 : 1));
}

/** The choices for people, numbered from 1. @param now wall clock, ms */
export function choiceLines(slaves: readonly Slave[], now: number): readonly string[] {
  return alignedRows(
    slaves.map((it, at) => [
      String(at + 1),
      it.instanceId,
      it.state,
      duration(now - it.launchedAt),
      it.instanceType,
      it.availabilityZone,
      it.address ?? 'no address yet',
    ]),
    { right: column => column === 0 || column === 3 },
  );
}

/**
 * The slave that a word means: an instance id, an address, or the number of its line. Without a word the only one.
 *
 * @param slaves from `choices`
 * @returns undefined when there are several and no word says which
 * @throws {UserError} when there is none, or the word means none
 */
export function chosen(slaves: readonly Slave[], word: string | undefined, now: number): Slave | undefined {
  const [first, ...others] = slaves;
  if (first === undefined) {
    throw failure('there are no slaves; "gbrowse-aws-balancer status" says how many are wanted, and why');
  }
  if (word === undefined) return others.length === 0 ? first : undefined;
  const numbered = /^[1-9]\d{0,3}$/.test(word) ? slaves[Number(word) - 1] : undefined;
  const found = slaves.find(it => it.instanceId === word || it.address === word) ?? numbered;
  if (found !== undefined) return found;
  throw usageError(
    `no slave of this master is called ${JSON.stringify(word)}, expected an instance id, an address or a number of this list:\n${choiceLines(slaves, now).join('\n')}`,
  );
}
