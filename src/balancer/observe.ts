import type { Config } from '../config/config.ts';
import { isEc2Error, troubleOf } from '../ec2/errors.ts';
import { explain } from '../ec2/explain.ts';
import { messageOf } from '../errors.ts';
import { NO_LOAD, noteReading } from '../load/rate.ts';
import type { Reading } from '../load/reading.ts';
import { isNotDone } from './not-done.ts';
import { recordNoPlan, recordRefusedLaunch } from './observe-launch.ts';
import { sayLoad } from './observe-load.ts';
import { recordUnsaved } from './spending.ts';
import { resolved, type State, say, sayOnce } from './state.ts';
import type { Task, TaskKind } from './tasks.ts';
import { EAGER_DESCRIBE_INTERVAL, RETRY_FIRST, RETRY_LONGEST } from './timing.ts';
import { isLoadKnown, recordWanted } from './wanted.ts';

/** A task has failed: what to try again when, and what to say. Moments are monotonic ms. */
export function recordFailure(state: State, task: Task, error: unknown, now: number): void {
  if (isNotDone(error)) {
    if (task.kind === 'launch') delete state.launchInFlight;
    return;
  }
  switch (task.kind) {
    case 'read-load':
      state.loadError = messageOf(error);
      // Each failure is logged once; the error says where and why.
      sayOnce(
        state,
        'load',
        'warn',
        `the load cannot be read, so the farm stays as it is: ${messageOf(error).replace(/^cannot read the load from /, '')}`,
      );
      return;
    case 'read-config':
      say(state, 'error', `the configuration was not changed: ${messageOf(error)}`);
      return;
    case 'launch':
      recordRefusedLaunch(state, task.request, error, now);
      return;
    case 'prepare':
      recordRetry(state, task.kind, error, now);
      recordNoPlan(state, error, now);
      return;
    case 'save-spending':
      recordRetry(state, task.kind, error, now);
      recordUnsaved(state, error);
      return;
    default:
      if (task.kind === 'tidy') state.tidyTries += 1;
      recordRetry(state, task.kind, error, now);
      sayOnce(state, task.kind, 'warn', `${DOING[task.kind]}: ${explain(error)}`);
  }
}

/** The message for a task that failed. */
export const DOING: Record<
  Exclude<TaskKind, 'read-config' | 'read-load' | 'launch' | 'prepare' | 'save-spending'>,
  string
> = {
  'read-farm': 'the farm file cannot be read',
  'write-farm': 'the farm file cannot be written',
  reload: 'Apache could not be told about the new farm',
  describe: 'EC2 instances cannot be listed',
  probe: 'a slave cannot be probed',
  'mark-draining': 'draining slaves cannot be tagged',
  'mark-alive': 'the launch template cannot be tagged with the time of the last activity',
  terminate: 'slaves cannot be terminated',
  tidy: 'security group and launch template cannot be removed',
};

/** The message when it works again. */
const AGAIN: Partial<Record<TaskKind, string>> = {
  'read-farm': 'the farm file can be read again',
  'write-farm': 'the farm file can be written again',
  reload: 'Apache can be told about the farm again',
  describe: 'EC2 answers again',
  'mark-draining': 'draining slaves can be tagged again',
  'mark-alive': 'the launch template can be tagged again',
  terminate: 'slaves can be terminated again',
  'save-spending': 'the expenses can be saved again',
};

function recordRetry(state: State, kind: TaskKind, error: unknown, now: number): void {
  const last = state.retry.get(kind);
  const action = isEc2Error(error) ? error.action : undefined;
  // A failure of a different action means progress, so the backoff starts over.
  const failures = last?.action === action ? (last?.failures ?? 0) + 1 : 1;
  const wait = Math.min(RETRY_LONGEST, RETRY_FIRST * 2 ** Math.min(failures - 1, 10));
  const trouble = isEc2Error(error) ? troubleOf(error) : undefined;
  state.retry.set(kind, { failures, action, trouble, notBefore: now + wait });
}

/** The load was read. */
export function recordLoad(state: State, reading: Reading, now: number): void {
  state.load = noteReading(state.load, reading, now);
  delete state.loadError;
  resolved(state, 'load', 'the load can be read again');
  recordWanted(state, now);
  if (isLoadKnown(state)) say(state, 'debug', `load: ${state.load.rate?.toFixed(2)} requests/s`);
  sayLoad(state, now);
}

/** EC2 has been asked to terminate these; some of them it does not know yet, or no longer. */
export function recordTerminating(
  state: State,
  instanceIds: readonly string[],
  unknown: readonly string[],
  now: number,
): void {
  const ending = instanceIds.filter(id => !unknown.includes(id));
  for (const id of ending) {
    const member = state.members.get(id);
    if (member?.leaving === undefined) continue;
    state.members.set(id, { ...member, leaving: { ...member.leaving, terminateAskedAt: now } });
  }
  if (ending.length > 0) say(state, 'info', `terminating ${ending.join(', ')}`);
  if (unknown.length > 0) {
    say(state, 'debug', `EC2 does not know ${unknown.join(', ')} (yet, or any longer): asking again`);
    state.retry.set('terminate', { failures: 0, notBefore: now + EAGER_DESCRIBE_INTERVAL });
  }
}

/** The draining tags are written. */
export function recordDraining(state: State, instanceIds: readonly string[]): void {
  for (const id of instanceIds) {
    const member = state.members.get(id);
    if (member?.leaving === undefined) continue;
    state.members.set(id, { ...member, leaving: { ...member.leaving, tagged: true } });
  }
}

/** The activity tag was written; if there was no launch template to tag, there will be one once there is a plan. */
export function recordSignOfLife(state: State, isAnything: boolean, now: number): void {
  if (isAnything) state.aliveAt = now;
  // A plan may have been made in the meantime.
  else if (state.plan === undefined) state.aliveAt = Number.POSITIVE_INFINITY;
}

/** Security group and launch template were removed, or EC2 keeps the group for now. */
export function recordTidied(state: State, done: boolean, now: number): void {
  state.tidied = done;
  state.tidyTries += 1;
  if (done) return;
  state.retry.set('tidy', { failures: 0, notBefore: now + EAGER_DESCRIBE_INTERVAL });
  sayOnce(
    state,
    'tidy',
    'info',
    'waiting for the slaves to terminate: the security group can be deleted only after them',
  );
}

/** The administrator's new configuration is in force. */
export function recordConfig(state: State, config: Config, now: number): void {
  // The counters of another server cannot be compared with those of the one before.
  const source = ({ master }: Config) =>
    JSON.stringify([master.serverStatusUrl, master.loadLog, master.loadMatch?.source]);
  if (source(config) !== source(state.config)) state.load = NO_LOAD;
  state.config = config;
  state.nextPollAt = Math.min(state.nextPollAt, now + config.master.pollInterval);
  delete state.plan;
  state.retry.clear();
  const { reason: _, ...backoff } = state.backoff;
  state.backoff = { ...backoff, notBefore: 0, refusals: 0, failedBoots: 0 };
}

/** The administrator has written the configuration file, and it is right. */
export function recordWrittenConfig(state: State, config: Config, now: number): void {
  if (state.stop !== undefined) return;
  say(state, 'info', `${config.file} has been changed: configuration read again`);
  recordConfig(state, config, now);
}

/** Clears what earlier failures of a task have left behind. */
export function recordSuccess(state: State, task: Task): void {
  // The content of the answer says whether that is done, not the fact that there is an answer.
  if (!state.retry.delete(task.kind) || task.kind === 'tidy') return;
  const again = AGAIN[task.kind];
  if (again !== undefined) resolved(state, task.kind, again);
  else state.said.delete(task.kind);
}
