import type { Level } from '../log/log.ts';
import { apply, type Transition } from './apply.ts';
import { hasFailed, type State, type StateView } from './state.ts';
import { keyOf, type Task } from './tasks.ts';

/** A decision while it is made: what is due now, when the rest is due, and how the state changes. */
export type Agenda = {
  /** Monotonic ms. */
  readonly now: number;
  /** The state with the changes that the decision has made so far. */
  readonly state: StateView;
  /** Whether that moment has come; if not, the loop wakes up then. */
  due(at: number): boolean;
  /** Adds a task unless one of the same key is running or it must not be tried again yet. */
  add(task: Task): boolean;
  change(transition: Transition): void;
  /** With a topic, only when it differs from the last message about it, apart from numbers (or from `news`). */
  say(level: Level, message: string, about?: { readonly topic: string; readonly news?: string }): void;
  readonly tasks: readonly Task[];
  readonly transitions: readonly Transition[];
  /** When to decide again though nothing has happened, monotonic ms. */
  wakeAt(): number;
};

/** @param state is not changed: the decision works on a copy */
export function createAgenda(state: StateView, now: number): Agenda {
  const tasks: Task[] = [];
  const transitions: Transition[] = [];
  const draft = copyOf(state);
  const isHurried = state.stop?.hurriedAt !== undefined;
  let wakeAt = Number.POSITIVE_INFINITY;

  function due(at: number): boolean {
    if (at <= now) return true;
    wakeAt = Math.min(wakeAt, at);
    return false;
  }

  function change(transition: Transition): void {
    transitions.push(transition);
    apply(draft, transition);
  }

  return {
    now,
    state: draft,
    due,
    add(task) {
      const retry = state.retry.get(task.kind);
      if (state.running.has(keyOf(task)) || (isHurried && hasFailed(state, task.kind))) return false;
      if (!due(retry?.notBefore ?? now)) return false;
      tasks.push(task);
      return true;
    },
    change,
    say: (level, message, about) => change({ kind: 'say', level, message, ...about }),
    tasks,
    transitions,
    wakeAt: () => wakeAt,
  };
}

function copyOf(state: StateView): State {
  return {
    ...state,
    members: new Map(state.members),
    instancesInFlight: new Map(state.instancesInFlight),
    boughtOnDemand: new Map(state.boughtOnDemand),
    running: new Set(state.running),
    retry: new Map(state.retry),
    said: new Map(state.said),
    outbox: [],
  };
}
