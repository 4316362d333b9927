import { systemClock } from '../../clock.ts';
import { acquireLock, isLockHeld, type Lock } from '../../daemon/lock.ts';
import type { Ec2 } from '../../ec2/api.ts';
import { isEc2Error } from '../../ec2/errors.ts';
import { explain } from '../../ec2/explain.ts';
import { retryReads } from '../../ec2/retry.ts';
import { failure } from '../../errors.ts';
import { type FindOptions, findLeftovers, type Leftovers, lockOf } from '../../leftovers/find.ts';
import { leftoversAsJson, leftoversAsText, outcomeAsText } from '../../leftovers/print.ts';
import { removeLeftovers } from '../../leftovers/remove.ts';
import { connectMaster } from '../connect.ts';
import type { Given } from '../given.ts';

/**
 * `gbrowse-aws-balancer gc`: lists what is left in EC2 and no running balancer or sync owns; with `--yes` removes it.
 *
 * @returns the exit status: 1 when something could not be listed or removed
 */
export async function gc(given: Given<'gc'>): Promise<number> {
  const { site, sdk, warnings } = await connectMaster(given, { image: false });
  try {
    for (const warning of warnings) say(warning);
    const options = { master: site.name, allMasters: given.allMasters };
    const ec2 = retryReads(sdk.ec2, systemClock);
    return given.yes ? await removeAll(ec2, options, given) : await list(ec2, options, given);
  } catch (error) {
    if (isEc2Error(error))
      throw failure(`resources in EC2 cannot be listed: ${explain(error)}`, { cause: error });
    throw error;
  } finally {
    sdk.close();
  }
}

async function list(ec2: Ec2, options: FindOptions, given: Given<'gc'>): Promise<number> {
  const found = await findLeftovers(ec2, options);
  if (given.json) print(leftoversAsJson(found));
  else {
    print(leftoversAsText(found, Date.now()));
    if (all(found).length > 0)
      print(`\nNothing was removed. To remove what is left over:\n\n    ${again(given)}`);
  }
  return found.unlisted.length > 0 ? 1 : 0;
}

async function removeAll(ec2: Ec2, options: FindOptions, given: Given<'gc'>): Promise<number> {
  const locks = new Map<string, Lock>();
  // The locks that we take ourselves only keep others from starting; they do not mean that somebody owns what we list.
  const find = () =>
    findLeftovers(ec2, {
      ...options,
      isLockHeld: async name => !locks.has(name) && (await isLockHeld(name)),
    });
  try {
    for (const name of new Set(all(await find()).map(lockOf))) {
      const lock = await acquireLock(name);
      if (lock !== undefined) locks.set(name, lock);
    }
    const found = await find();
    if (!given.json) print(leftoversAsText(found, Date.now()));
    const leftovers = all(found);
    if (!given.json && leftovers.length > 0) print('');
    const outcomes = await removeLeftovers(ec2, leftovers, {
      clock: systemClock,
      findAgain: find,
      onOutcome: outcome => !given.json && print(outcomeAsText(outcome)),
      onWait: say,
    });
    if (given.json) print(leftoversAsJson(found, outcomes));
    const failed = outcomes.filter(({ became }) => became === 'failed').length;
    if (failed > 0) say(`${failed} of ${outcomes.length} could not be removed; run it again later`);
    return failed > 0 || found.unlisted.length > 0 ? 1 : 0;
  } finally {
    for (const lock of locks.values()) lock.release();
  }
}

function all(found: Leftovers) {
  return found.masters.flatMap(it => it.leftovers);
}

/** The command that removes what this one has listed. */
function again(given: Given<'gc'>): string {
  const conf = given.conf === undefined ? [] : ['--conf', quoted(given.conf)];
  const masters = given.allMasters ? ['--all-masters'] : [];
  return ['gbrowse-aws-balancer', 'gc', ...conf, ...masters, '--yes'].join(' ');
}

function quoted(word: string): string {
  return /^[\w./~:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
