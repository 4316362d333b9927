/** How many requests/s come, from a moment on (ms since the beginning) until the next step. */
export type LoadStep = { readonly from: number; readonly requestsPerSecond: number };

/** A load over time. Moments are ms since its beginning; before it, and before the first step, there is none. */
export type LoadProfile = {
  requestsPerSecondAt(moment: number): number;
  /** How many requests have come until then; not a whole number. */
  requestsUntil(moment: number): number;
};

/** A load out of steps, in any order; the last one goes on for ever. */
export function createLoadProfile(steps: readonly LoadStep[]): LoadProfile {
  let requests = 0;
  let before: LoadStep | undefined;
  const marks = steps
    .toSorted((a, b) => a.from - b.from)
    .map(step => {
      if (before !== undefined) requests += (before.requestsPerSecond * (step.from - before.from)) / 1000;
      before = step;
      return { ...step, requests };
    });

  /** The step that holds at a moment: the last one that began before it. */
  function stepAt(moment: number): (typeof marks)[number] | undefined {
    let [low, high] = [0, marks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((marks[middle]?.from ?? 0) <= moment) low = middle + 1;
      else high = middle;
    }
    return marks[low - 1];
  }

  return {
    requestsPerSecondAt: moment => stepAt(moment)?.requestsPerSecond ?? 0,
    requestsUntil(moment) {
      const step = stepAt(moment);
      if (step === undefined) return 0;
      return step.requests + (step.requestsPerSecond * (moment - step.from)) / 1000;
    },
  };
}
