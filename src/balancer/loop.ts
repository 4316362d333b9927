import type { Ledger } from '../budget/ledger.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { failure, type UserError } from '../errors.ts';
import type { Farm, Probe } from '../farm/farm.ts';
import { noteRequest } from '../load/rate.ts';
import type { ReadStatus } from '../load/reading.ts';
import type { Log } from '../log/log.ts';
import { isSamePause, type Pause } from '../policy/pause.ts';
import type { SpotFleet } from '../spot/fleet.ts';
import { apply } from './apply.ts';
import { decide } from './decide.ts';
import { portsInUse } from './members.ts';
import {
  recordConfig,
  recordDraining,
  recordFailure,
  recordLoad,
  recordSignOfLife,
  recordSuccess,
  recordTerminating,
  recordTidied,
  recordWrittenConfig,
} from './observe.ts';
import { recordFarm, recordFarmWritten, recordReloaded } from './observe-farm.ts';
import { recordInstances } from './observe-instances.ts';
import { recordLaunch, recordPlan } from './observe-launch.ts';
import { recordProbe } from './observe-probe.ts';
import { recordCrippled, recordStop } from './observe-stop.ts';
import { recordPause } from './pause.ts';
import {
  recordSaved,
  recordSpending,
  recordSpentBefore,
  recordStaging,
  type SlavePrices,
  type SpentBefore,
} from './spending.ts';
import { type End, initialState, type State } from './state.ts';
import { keyOf, type Task } from './tasks.ts';
import { FARM_TASK_LIMIT, RELOAD_TASK_LIMIT } from './timing.ts';

/** The world outside, as the balancer needs it. In production Apache, EC2 and the farm file; in tests a simulation. */
export type Edges = {
  readonly clock: Clock;
  readonly readStatus: ReadStatus;
  /** The configuration, when its file has been written since it was last read; throws once when that is wrong. */
  readonly readConfigIfWritten?: () => Promise<Config | undefined>;
  readonly fleet: SpotFleet;
  readonly probe: Probe;
  readonly farm: Farm;
  /** Resolves when the farm file can no longer be written at all: the balancer stops, and keeps its slaves. */
  readonly crippled?: Promise<UserError>;
  readonly log: Log;
  /** Keeps what was spent for the next start. */
  readonly saveSpending?: (ledger: Ledger) => Promise<void>;
  /** What slaves cost; unset: the bid. */
  readonly prices?: SlavePrices;
  /** Called after each decision with the state, which holds until the next one. `now` is monotonic ms. */
  readonly observe?: (state: Readonly<State>, now: number) => void;
};

export type Balancer = {
  /** Ends when the balancer has stopped. Rejects only on a bug. */
  readonly ended: Promise<End>;
  /** Stops; a second call does not wait for drains. */
  stop(options?: { readonly keepSlaves?: boolean }): void;
  /** Goes on with a new configuration. */
  reconfigure(config: Config): void;
  /** Begins a pause, changes it, or ends it. */
  pause(pause: Pause | undefined): void;
  readonly state: Readonly<State>;
};

/**
 * Starts the balancer's loop: decide, do what was decided, record the results, decide again. Tasks run side by side, so
 * that one that hangs delays no other.
 *
 * @param settings.runId part of every launch token; different in every process
 * @param settings.listed what the farm file lists at the start
 */
export function startBalancer(
  edges: Edges,
  settings: {
    readonly config: Config;
    readonly runId: string;
    readonly listed: readonly string[];
    /** One that a predecessor has left. */
    readonly pause?: Pause;
    /** What was spent before; unset: nobody keeps it. */
    readonly spent?: SpentBefore;
  },
): Balancer {
  const { clock, log } = edges;
  const state = initialState({
    ...settings,
    followsConfig: edges.readConfigIfWritten !== undefined,
    now: clock.monotonic(),
  });
  recordPause(state, settings.pause);
  if (settings.spent !== undefined)
    recordSpentBefore(state, settings.spent, { now: clock.monotonic(), wall: clock.wall() });
  let alarm = new AbortController();
  const bug = Promise.withResolvers<never>();

  function wake(): void {
    // Without a reason Node would make an error with a stack, each time.
    alarm.abort('woken');
  }

  async function run(): Promise<End> {
    for (;;) {
      if (alarm.signal.aborted) alarm = new AbortController();
      const now = clock.monotonic();
      recordSpending(state, { now, wall: clock.wall() }, edges.prices);
      const decision = decide(state, now);
      for (const transition of decision.transitions) apply(state, transition);
      flush(state, log);
      edges.observe?.(state, now);
      if (decision.end !== undefined) return decision.end;
      for (const task of decision.tasks) start(task);
      await pause(clock, decision.wakeAt - now, alarm.signal);
    }
  }

  function start(task: Task): void {
    state.running.add(keyOf(task));
    const over = new AbortController();
    reportSlow(task, over.signal).catch(bug.reject);
    perform(task, edges, state)
      .then(
        note => {
          recordSuccess(state, task);
          note(clock.monotonic());
        },
        (error: unknown) => recordFailure(state, task, error, clock.monotonic()),
      )
      .finally(() => {
        over.abort('over');
        state.running.delete(keyOf(task));
        wake();
      })
      .catch(bug.reject);
  }

  /** A hanging disk operation cannot be cancelled: the task stays pending, and the log says so. */
  async function reportSlow(task: Task, over: AbortSignal): Promise<void> {
    const limit = TASK_LIMITS[task.kind];
    if (limit === undefined) return;
    try {
      await clock.sleep(limit, over);
    } catch (error) {
      if (over.aborted) return;
      throw error;
    }
    recordFailure(state, task, failure(`no answer within ${limit / 1000} s`), clock.monotonic());
    wake();
  }

  void edges.crippled?.then(error => {
    recordCrippled(state, error, clock.monotonic());
    wake();
  });

  return {
    ended: Promise.race([run(), bug.promise]),
    state,
    stop(options) {
      recordStop(state, options?.keepSlaves, clock.monotonic());
      wake();
    },
    reconfigure(config) {
      recordConfig(state, config, clock.monotonic());
      wake();
    },
    pause(pause) {
      if (isSamePause(state.pause, pause)) return;
      recordPause(state, pause);
      wake();
    },
  };
}

const TASK_LIMITS: Partial<Record<Task['kind'], number>> = {
  'read-farm': FARM_TASK_LIMIT,
  'write-farm': FARM_TASK_LIMIT,
  reload: RELOAD_TASK_LIMIT,
  'save-spending': FARM_TASK_LIMIT,
};

/**
 * Events within this many ms lead to one decision: two slaves that become ready are one change of the farm file, and
 * two hundred probes are not two hundred decisions.
 */
const GATHERING = 20;

/** A timer can be set for 24.8 days at most. */
const LONGEST_PAUSE = 24 * 3_600_000;

async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(Math.min(Math.max(ms, GATHERING), LONGEST_PAUSE), signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    await clock.sleep(GATHERING);
  }
}

function flush(state: State, log: Log): void {
  for (const { level, message } of state.outbox.splice(0)) log[level](message);
}

/** Does a task; resolves to a function that records the result at the given (monotonic) moment. */
async function perform(task: Task, edges: Edges, state: State): Promise<(now: number) => unknown> {
  const { clock, fleet, farm } = edges;
  switch (task.kind) {
    case 'read-config': {
      const config = await edges.readConfigIfWritten?.();
      return now => config !== undefined && recordWrittenConfig(state, config, now);
    }
    case 'read-load': {
      state.load = noteRequest(state.load);
      const reading = await edges.readStatus();
      return now => recordLoad(state, reading, now);
    }
    case 'read-farm': {
      const startedAt = clock.monotonic();
      const urls = await farm.read();
      return () => recordFarm(state, urls, startedAt);
    }
    case 'write-farm':
      await farm.write(task.urls);
      return now => recordFarmWritten(state, task.urls, now);
    case 'reload': {
      const startedAt = clock.monotonic();
      const done = await farm.reload();
      return now => recordReloaded(state, done, startedAt, now);
    }
    case 'describe': {
      // What happened while EC2 was answering may not be in its answer.
      const [now, wall] = [clock.monotonic(), clock.wall()];
      const slaves = await fleet.describeSlaves();
      return answeredAt => {
        recordInstances(state, { slaves, now, wall });
        recordStaging(state, fleet.staging(), wall);
        state.answeredAt = answeredAt;
      };
    }
    case 'probe': {
      const answer = await edges.probe(task.address, task.ports);
      return now => recordProbe(state, task, answer, now);
    }
    case 'prepare': {
      const plan = await fleet.prepare(task.config, portsInUse(state));
      return now => recordPlan(state, task.config, plan, now);
    }
    case 'launch': {
      const outcome = await fleet.launch(task.request);
      return now => recordLaunch(state, task.request, outcome, now);
    }
    case 'mark-draining':
      await fleet.markDraining(task.instanceIds, clock.wall() - task.agoMs);
      return () => recordDraining(state, task.instanceIds);
    case 'mark-alive': {
      const isAnything = await fleet.markAlive(clock.wall(), task.templateIds);
      return now => recordSignOfLife(state, isAnything, now);
    }
    case 'terminate': {
      const unknown = await fleet.terminate(task.instanceIds);
      return now => recordTerminating(state, task.instanceIds, unknown, now);
    }
    case 'save-spending':
      await edges.saveSpending?.(task.ledger);
      return now => recordSaved(state, task.ledger, now);
    case 'tidy': {
      const done = await fleet.tidy();
      return now => recordTidied(state, done, now);
    }
  }
}
