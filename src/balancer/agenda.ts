import type { State } from './state.ts';
import { keyOf, type Task } from './tasks.ts';

/** Collects what is due now, and when the rest will be. */
export type Agenda = {
  /** Monotonic ms. */
  readonly now: number;
  /** Whether that moment has come; if not, the loop wakes then. */
  due(at: number): boolean;
  /** Adds a task unless its like is running or must not be tried again yet. */
  add(task: Task): boolean;
  readonly tasks: readonly Task[];
  /** When to decide again though nothing has happened, monotonic ms. */
  wakeAt(): number;
};

export function createAgenda(state: State, now: number): Agenda {
  const tasks: Task[] = [];
  let wakeAt = Number.POSITIVE_INFINITY;

  function due(at: number): boolean {
    if (at <= now) return true;
    wakeAt = Math.min(wakeAt, at);
    return false;
  }

  return {
    now,
    due,
    add(task) {
      if (state.running.has(keyOf(task)) || !due(state.retry.get(task.kind)?.notBefore ?? now)) return false;
      tasks.push(task);
      return true;
    },
    tasks,
    wakeAt: () => wakeAt,
  };
}
