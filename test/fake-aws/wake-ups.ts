/** Somebody who is to be woken at a moment (ms). */
export type WakeUp = { readonly at: number; readonly sequence: number; wake(): void; removed: boolean };

export type WakeUps = {
  add(at: number, wake: () => void): WakeUp;
  remove(wakeUp: WakeUp): void;
  /** The earliest; of those at the same moment, the one that was added first. */
  first(): WakeUp | undefined;
  size(): number;
};

/** A binary heap. What is removed stays in it, marked, until it comes to the top. */
export function createWakeUps(): WakeUps {
  const heap: WakeUp[] = [];
  let sequence = 0;
  let size = 0;

  function add(at: number, wake: () => void): WakeUp {
    const wakeUp: WakeUp = { at, sequence: sequence++, wake, removed: false };
    size++;
    let index = heap.push(wakeUp) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(wakeUp, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = wakeUp;
    return wakeUp;
  }

  function takeTop(): void {
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const left = heap[2 * index + 1];
      const right = heap[2 * index + 2];
      const [child, at] =
        right !== undefined && left !== undefined && isBefore(right, left)
          ? [right, 2 * index + 2]
          : [left, 2 * index + 1];
      if (child === undefined || !isBefore(child, last)) break;
      heap[index] = child;
      index = at;
    }
    heap[index] = last;
  }

  return {
    add,
    remove(wakeUp) {
      if (wakeUp.removed) return;
      wakeUp.removed = true;
      size--;
    },
    first() {
      while (heap[0]?.removed) takeTop();
      return heap[0];
    },
    size: () => size,
  };
}

function isBefore(one: WakeUp, other: WakeUp): boolean {
  return one.at < other.at || (one.at === other.at && one.sequence < other.sequence);
}
