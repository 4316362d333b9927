/** How long to wait: for each answer, not for all of them together, so that a slow machine has enough time. */
export type Patience = {
  /** Aborts when nothing has answered for the time limit. */
  readonly signal: AbortSignal;
  /** Something has answered: the time limit starts over. */
  answered(): void;
  /** Stop waiting. */
  end(): void;
};

/** @param timeLimit ms */
export function createPatience(timeLimit: number): Patience {
  const controller = new AbortController();
  const begin = () => setTimeout(() => controller.abort(new Error('no answer in time')), timeLimit);
  let timer = begin();
  let hasEnded = false;
  return {
    signal: controller.signal,
    answered: () => {
      clearTimeout(timer);
      if (!hasEnded) timer = begin();
    },
    end: () => {
      hasEnded = true;
      clearTimeout(timer);
    },
  };
}
