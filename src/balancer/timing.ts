import { HOUR, MINUTE, SECOND } from '../clock.ts';

/** The configuration file is checked in each round, but not more often than this. */
export const CONFIG_CHECK_INTERVAL = 5 * SECOND;

/** The load is read this often, or with every poll if that is more often. */
export const READING_INTERVAL = 10 * SECOND;

/** Between the first two readings of the load: the first decision does not wait for a whole poll interval. */
export const FIRST_READING_SPAN = 5 * SECOND;

/**
 * A slave that boots, or that missed a probe, is probed this often, so that it enters or leaves the farm within
 * seconds.
 */
export const EAGER_PROBE_INTERVAL = SECOND;

/** Serving slaves are probed, and instances are described, at least this often: EC2 gives two minutes' notice of a reclaim. */
export const LONGEST_ROUND = MINUTE;

/** After this many unanswered probes in a row a slave is removed from the farm until it answers again. */
export const FAILURES_TOLERATED = 3;

/** A slave that left the farm because it does not answer is probed this often. */
export const SILENT_PROBE_INTERVAL = 3 * SECOND;

/** A slave that may be busy is given up after three times GBrowse's slave_timeout of 45 s. */
export const GIVE_UP_AFTER = 135 * SECOND;

/** While EC2 has yet to do something that cannot wait for the next round: give an address, end an instance. */
export const EAGER_DESCRIBE_INTERVAL = 3 * SECOND;

/** With nothing running and nothing wanted. */
export const IDLE_DESCRIBE_INTERVAL = 5 * MINUTE;

/** Nothing is launched, tagged or terminated because of an answer older than this. */
export const FRESH_ANSWER = 10 * SECOND;

/**
 * EC2 shows a new instance only after some seconds: this long a start waits for what a predecessor launched just before
 * it died.
 */
export const SETTLE_TIME = 10 * SECOND;

/** An instance that was launched and never shown is given up after this time. */
export const NEVER_SHOWN = 2 * MINUTE;

/** This many answers in a row have to lack an instance before it counts as gone (a terminated one is shown for an hour). */
export const ANSWERS_MISSED_TOLERATED = 3;

/** A launch plan is renewed after this: the image's name may mean another AMI, the master's address may change. */
export const PLAN_LIFETIME = HOUR;

/** If that fails, the old plan serves for this much longer. */
export const PLAN_AGAIN = 5 * MINUTE;

/** The plan is renewed this soon when slaves do not answer: the master's address may have changed. */
export const PLAN_SUSPICION = MINUTE;

/** Between two reloads of Apache: each breaks FastCGI requests in flight, so changes are combined. */
export const RELOAD_GAP = 5 * SECOND;

/** After this time a drain does not wait any more for a reload that fails. */
export const RELOAD_PATIENCE = 2 * MINUTE;

/** A termination that EC2 does not show is asked for again. */
export const TERMINATE_AGAIN = MINUTE;

/** First and longest wait after a task failed. */
export const RETRY_FIRST = SECOND;
export const RETRY_LONGEST = MINUTE;

/** How often the activity tag is written in EC2; `gc` treats a balancer as alive for an hour after it. */
export const ACTIVITY_INTERVAL = 20 * MINUTE;

/**
 * A stop ends after this time, whatever hangs: it promises five minutes. It ends sooner when EC2 has never answered.
 */
export const STOP_LIMIT = 4.75 * MINUTE;
export const STOP_LIMIT_UNHEARD = 20 * SECOND;

/** The same after a second signal, which promises 15 s. */
export const STOP_LIMIT_HURRY = 13.5 * SECOND;

/** A stop waits for drains no longer than this: EC2 needs time to end the instances, too. */
export const STOP_DRAIN_LIMIT = 3.5 * MINUTE;

/** How long a farm file that cannot be written, or an Apache that cannot be reloaded, delays a stop. */
export const STOP_FARM_LIMIT = 20 * SECOND;
export const STOP_FARM_LIMIT_HURRY = 5 * SECOND;

/** A stop that keeps the slaves waits this long for the answer to a launch. */
export const STOP_KEEPING_LIMIT = MINUTE;

/** Limit for the farm file and for Apache; what takes longer is reported and still waited for. */
export const FARM_TASK_LIMIT = 20 * SECOND;
export const RELOAD_TASK_LIMIT = 90 * SECOND;

/** What was spent is saved so often while something is spent; a crash loses no more, and the next start counts it. */
export const SAVE_SPENDING_INTERVAL = MINUTE;
