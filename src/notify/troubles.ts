import { accountIn } from '../balancer/spending.ts';
import type { StateView } from '../balancer/state.ts';
import { NEARLY } from '../budget/ledger.ts';
import { HOUR } from '../clock.ts';
import type { Trouble } from '../ec2/errors.ts';
import { dollars } from '../format/money.ts';
import { counted } from '../format/numbers.ts';
import { FAILED_BOOTS_TOLERATED, permitted } from '../policy/backoff.ts';
import { largestMax } from '../policy/load-table.ts';
import { isLoadCurrent, levelOf } from '../status/levels.ts';
import { TOPICS, type Topic } from './topics.ts';

/** Whether there is a trouble: a sentence that describes it; `absent`: there is none; `unknown`: it cannot be told now. */
export type Finding = { readonly sentence: string } | 'absent' | 'unknown';

export type Findings = Readonly<Record<Topic, Finding>>;

/** Refusals that last until somebody changes something. */
const NEEDS_SOMEBODY: readonly Trouble[] = ['permission', 'quota', 'credentials', 'request'];
/** So many such refusals in a row are no accident. */
const REFUSALS_TOLERATED = 3;

const UNKNOWN = Object.fromEntries(TOPICS.map(it => [it, 'unknown'])) as Record<Topic, Finding>;

/**
 * The troubles that a balancer knows of. One that stops knows of none, except that it stops because root's part is gone.
 *
 * @param now monotonic ms
 */
export function findingsIn(state: StateView, now: number): Findings {
  const { stop } = state;
  if (stop !== undefined)
    return stop.crippled === true
      ? { ...UNKNOWN, root: { sentence: 'The part of the balancer that writes the farm file is gone.' } }
      : UNKNOWN;
  return {
    launches: launchesIn(state, now),
    load: loadIn(state),
    slaves: slavesIn(state),
    ...budgetIn(state),
    'farm-file': farmFileIn(state, now),
    image: imageIn(state),
    keys: keysIn(state),
    root: 'absent',
  };
}

/** A sentence that ends with an error, which may have a full stop of its own. */
function because(begin: string, why: string | undefined): { readonly sentence: string } {
  return { sentence: `${why === undefined ? begin : `${begin}: ${why}`.trimEnd().replace(/\.$/, '')}.` };
}

/** Slaves that serve, and whether they are enough; undefined while that is not known. */
function servingIn(state: StateView): { readonly serving: number; readonly min: number } | undefined {
  if (state.describedAt === undefined) return undefined;
  const { serving, min } = levelOf(state);
  return min === undefined ? undefined : { serving, min };
}

function launchesIn(state: StateView, now: number): Finding {
  const { backoff, config } = state;
  const { failedBoots, refusals, refusedFor, notBefore, launches } = backoff;
  // That is told as a topic of its own.
  if (state.missing !== undefined) return 'unknown';
  if (failedBoots >= FAILED_BOOTS_TOLERATED)
    return because('Slaves are launched only one at a time, at growing intervals', backoff.reason);
  if (refusals >= REFUSALS_TOLERATED && refusedFor !== undefined && NEEDS_SOMEBODY.includes(refusedFor))
    return because(`The last ${counted(refusals, 'attempt')} to launch slaves were refused`, backoff.reason);
  if (now >= notBefore && permitted(backoff, 1, largestMax(config.loadTable), now).count === 0) {
    const lately = launches.filter(at => at > now - HOUR).length;
    return {
      sentence: `${counted(lately, 'slave')} were launched within an hour, more than a load table of this size can need.`,
    };
  }
  const level = servingIn(state);
  if (refusals > 0 || level === undefined) return 'unknown';
  return level.serving > 0 && level.serving >= level.min ? 'absent' : 'unknown';
}

function loadIn(state: StateView): Finding {
  const { load, loadError, overloadCounts, readAt } = state;
  if (isLoadCurrent(state) || overloadCounts !== undefined) return 'absent';
  const why = loadError ?? load.doubt?.why;
  if (why === undefined && readAt === undefined) return 'unknown';
  return because('The load cannot be read', why);
}

function slavesIn(state: StateView): Finding {
  const level = servingIn(state);
  if (level === undefined || state.pause !== undefined || accountIn(state)?.isUsedUp === true)
    return 'unknown';
  const { serving, min } = level;
  if (serving >= min) return 'absent';
  return because(
    `${counted(serving, 'slave')} of at least ${min} ${serving === 1 ? 'serves' : 'serve'}`,
    state.backoff.reason,
  );
}

function budgetIn(state: StateView): Pick<Findings, 'budget-80' | 'budget-100'> {
  const account = accountIn(state);
  if (account === undefined) return { 'budget-80': 'unknown', 'budget-100': 'unknown' };
  const { month, spentAtMost, budget, isUsedUp } = account;
  if (budget === undefined) return { 'budget-80': 'absent', 'budget-100': 'absent' };
  const spent = `${dollars(spentAtMost)} of the budget of ${dollars(budget)} for ${month} are spent`;
  return {
    'budget-80': isUsedUp || spentAtMost >= NEARLY * budget ? { sentence: `${spent}.` } : 'absent',
    'budget-100': isUsedUp
      ? { sentence: `${spent}, so all slaves are released and nothing is launched; GBrowse draws locally.` }
      : 'absent',
  };
}

function farmFileIn({ farmChange }: StateView, now: number): Finding {
  if (farmChange === undefined || now - farmChange.at >= HOUR) return 'absent';
  return because('Somebody else has changed the farm', farmChange.change);
}

function imageIn({ missing, backoff, startedAt }: StateView): Finding {
  if (missing !== undefined) return because('Slaves cannot be launched', missing.why);
  // Only a launch shows that image and snapshots are there.
  return backoff.refusals === 0 && backoff.launches.some(at => at > startedAt) ? 'absent' : 'unknown';
}

function keysIn({ retry, answeredAt }: StateView): Finding {
  const failed = retry.get('describe');
  if (failed?.trouble === 'credentials' || failed?.trouble === 'permission')
    return {
      sentence: `EC2 has refused the keys ${failed.failures} times in a row (${failed.action ?? 'EC2'}).`,
    };
  return failed === undefined && answeredAt !== undefined ? 'absent' : 'unknown';
}
