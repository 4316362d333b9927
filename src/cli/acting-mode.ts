import { randomUUID } from 'node:crypto';
import { systemClock } from '../clock.ts';
import type { BackgroundChannel } from '../daemon/background.ts';
import { acquireLock, describeHolder, type Holder, type Lock, lockState } from '../daemon/lock.ts';
import { takeServiceManager } from '../daemon/systemd.ts';
import { retryReads } from '../ec2/retry.ts';
import { failure, type UserError } from '../errors.ts';
import { createHistorian } from '../history/historian.ts';
import { createRedactor } from '../log/redact.ts';
import { findDatabases } from '../master/databases.ts';
import { findExternalAddress } from '../master/external-address.ts';
import type { Keys } from '../master/keys.ts';
import { createNotifier, type Notifier } from '../notify/notifier.ts';
import { createSpotFleet } from '../spot/fleet.ts';
import { createMetricsFile } from '../status/metrics-file.ts';
import { createRecord } from '../status/record.ts';
import { createStatusServer } from '../status/serve.ts';
import type { Given } from './given.ts';
import type { Mode } from './mode.ts';
import { secretsOf } from './open-log.ts';
import { VERSION } from './version.ts';

const FAREWELL = {
  clean: 'stopped: no slave is left',
  'slaves kept': 'stopped: the slaves stay for the next start to take over',
  hurried: 'stopped without waiting: all slaves were asked to end',
  incomplete: 'stopped, but not everything could be removed from EC2: the messages above name what is left',
  crippled:
    'stopped, because the farm file can no longer be written: the slaves stay for the next start to take over',
} as const;

async function heldByAnother(name: string): Promise<UserError> {
  const { state, holder = {} } = await lockState(`master:${name}`);
  return failure(
    state === 'claimed'
      ? `${describeHolder(holder)} claims to be the balancer of the master "${name}" on this machine; end it, give this one another [MASTER] name, or start this one as root with --user, which no other user can prevent`
      : `another gbrowse-aws-balancer (${describeHolder(holder)}) is running on this machine for the master "${name}"; stop it first, or give this one another [MASTER] name`,
  );
}

function squatted(name: string, holder: Holder): string {
  return (
    `${describeHolder(holder)} listens on the socket meant for the balancer of the master "${name}". It does no harm, ` +
    'but neither this user nor root started it: find out what it is'
  );
}

/**
 * A balancer that acts: the only one of its master, which answers `status` and reports its state to the service
 * manager.
 */
export function actingMode(options: Given<'run'>, keys: Keys, channel: BackgroundChannel | undefined): Mode {
  const manager = takeServiceManager(process.env);
  const { redact } = createRedactor(secretsOf(keys));
  const record = createRecord({ clock: systemClock, redact });
  let notifier: Notifier | undefined;
  let lock: Lock | undefined;
  let hear: ReturnType<Mode['log']> | undefined;
  /** How often the balancer was told to stop; from the second time on nothing is tried twice. */
  let stops = 0;

  return {
    log(log) {
      hear = record.hear(log);
      return hear;
    },
    async enter({ name }, directory) {
      lock = await acquireLock(`master:${name}`, createStatusServer(record.report));
      if (lock === undefined) throw await heldByAnother(name);
      if (lock.squatter !== undefined) hear?.warn(squatted(name, lock.squatter));
      const metrics =
        options.metricsFile === undefined || hear === undefined
          ? undefined
          : createMetricsFile(options.metricsFile, hear);
      const history =
        hear === undefined
          ? undefined
          : createHistorian({ place: () => ({ directory, master: name }), clock: systemClock, log: hear });
      await history?.open();
      notifier =
        hear === undefined
          ? undefined
          : createNotifier({
              place: () => ({ directory, master: name }),
              clock: systemClock,
              log: hear,
              redact,
            });
      await notifier?.open();
      const page =
        options.statusPage === undefined || hear === undefined
          ? undefined
          : createMetricsFile(options.statusPage, hear, 'status page');
      record.introduce(
        { version: VERSION, pid: process.pid, master: name },
        metrics,
        history,
        page,
        notifier?.notified,
      );
    },
    async act({ sdk, farm, log }) {
      const ec2 = retryReads(record.count(sdk.ec2), systemClock, { isHurried: () => stops > 1 });
      const databases = await findDatabases();
      const findAddress = async () => {
        const address = await findExternalAddress();
        log.info(`this master's external address: ${address}`);
        return address;
      };
      return {
        fleetAt: site =>
          createSpotFleet({ ec2, site, findAddress, ...(databases !== undefined && { databases }) }),
        farm,
        observe(state, now) {
          record.observe(state, now);
          notifier?.observe(state, now);
        },
        hearSlave: record.hearSlave,
        prices: record.prices,
        runId: randomUUID().slice(0, 18),
        keepsSpending: true,
      };
    },
    started: (balancer, log) => ({
      balancer: {
        ...balancer,
        stop(how) {
          stops += 1;
          manager.stopping();
          balancer.stop(how);
        },
      },
      log,
    }),
    async ready() {
      await channel?.started(hear?.trouble());
      manager.ready();
    },
    reloading: () => manager.reloading(),
    farewell: end => ({ message: FAREWELL[end], status: end === 'incomplete' || end === 'crippled' ? 1 : 0 }),
    async close() {
      await Promise.all([record.end(), notifier?.close()]);
      manager.close();
      lock?.release();
    },
  };
}
