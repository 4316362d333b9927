import type { Balancer } from '../balancer/loop.ts';
import { handleSignals } from '../daemon/signals.ts';
import type { Log } from '../log/log.ts';

/** The signals of this process, for a balancer that may not exist yet. */
type EarlySignals = {
  /** The balancer exists: it gets the signals received so far, and all later ones. */
  take(balancer: Balancer, log: Log, reload: () => Promise<void>): void;
};

/** Records signals from the first moment, so that none is lost during the start. */
export function earlySignals(): EarlySignals {
  type Order = (balancer: Balancer, log: Log) => void;
  const missed: Order[] = [];
  let running: Parameters<Order> | undefined;
  let reload: (() => Promise<void>) | undefined;
  let reloading = Promise.resolve();
  const order = (act: Order) => {
    if (running === undefined) missed.push(act);
    else act(...running);
  };
  handleSignals({
    stop: signal =>
      order((balancer, log) => {
        log.info(`told to stop (${signal}): emptying the farm, then terminating every slave`);
        balancer.stop();
      }),
    stopNow: signal =>
      order((balancer, log) => {
        log.info(`told to stop again (${signal}): stopping without waiting`);
        balancer.stop();
      }),
    stopKeepingSlaves: () =>
      order((balancer, log) => {
        log.info('told to stop: leaving farm and slaves as they are');
        balancer.stop({ keepSlaves: true });
      }),
    reload: () => {
      reloading = reloading.then(() => reload?.());
    },
  });
  return {
    take(balancer, log, reloadNow) {
      running = [balancer, log];
      reload = reloadNow;
      for (const act of missed.splice(0)) act(balancer, log);
    },
  };
}
