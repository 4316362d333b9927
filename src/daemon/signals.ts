import { type Clock, systemClock } from '../clock.ts';

type SignalHandlers = {
  /** The first SIGTERM or SIGINT: clean up, then end. */
  stop(signal: NodeJS.Signals): void;
  /** The second one: end now. */
  stopNow(signal: NodeJS.Signals): void;
  /** SIGUSR2: end, and leave slaves and farm file for the next start. */
  stopKeepingSlaves(): void;
  /** SIGHUP: read the configuration again and reopen the log. */
  reload(): void;
};

/**
 * A Ctrl-C reaches the whole process group, and a wrapper such as npm passes it on besides: two SIGINTs within this
 * time (ms) are one key press, not an impatient person.
 */
const ONE_KEY_PRESS = 300;

/**
 * Handles the signals of a daemon. Node itself ignores SIGPIPE.
 *
 * @returns restores the default effect of the signals
 */
export function handleSignals(handlers: SignalHandlers, clock: Clock = systemClock): () => void {
  let ending: { signal: NodeJS.Signals; at: number } | undefined;

  function end(signal: NodeJS.Signals): void {
    const at = clock.monotonic();
    if (ending === undefined) {
      ending = { signal, at };
      if (signal === 'SIGUSR2') handlers.stopKeepingSlaves();
      else handlers.stop(signal);
      return;
    }
    const sameKeyPress = signal === 'SIGINT' && ending.signal === 'SIGINT' && at - ending.at < ONE_KEY_PRESS;
    if (!sameKeyPress) handlers.stopNow(signal);
  }

  const listeners = [
    ['SIGTERM', end],
    ['SIGINT', end],
    ['SIGUSR2', end],
    ['SIGHUP', () => handlers.reload()],
  ] as const;
  for (const [signal, listener] of listeners) process.on(signal, listener);
  return () => {
    for (const [signal, listener] of listeners) process.off(signal, listener);
  };
}

/** A closed terminal, or `| head` that has read enough, is no reason to end: what it would have read is lost. */
export function surviveClosedTerminal(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}
