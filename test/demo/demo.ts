import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startBalancer } from '../../src/balancer/loop.ts';
import { SECOND, systemClock } from '../../src/clock.ts';
import { parseConfig } from '../../src/config/load.ts';
import { handleSignals } from '../../src/daemon/signals.ts';
import { retryReads } from '../../src/ec2/retry.ts';
import { createFarm } from '../../src/farm/create.ts';
import { createProbe } from '../../src/farm/probe.ts';
import { readStatus } from '../../src/load/fetch.ts';
import { createLog } from '../../src/log/create.ts';
import { createRandom } from '../../src/simulate/random.ts';
import { createSpotFleet } from '../../src/spot/fleet.ts';
import { startApacheStandIn } from '../fake-aws/apache-stand-in.ts';
import { createSimulatedEc2 } from '../fake-aws/ec2/simulated-ec2.ts';
import { createLoadProfile } from '../fake-aws/load-profile.ts';
import { createLoopbackSlaves, LOOPBACK_NETWORK } from '../fake-aws/loopback-slaves.ts';
import { createSimulatedSlaves } from '../fake-aws/slaves.ts';

/** The load of the demonstration, requests/s: a quiet site, a class of students, a quiet site again. */
const LOAD = [
  { from: 0, requestsPerSecond: 0.2 },
  { from: 8 * SECOND, requestsPerSecond: 3 },
  { from: 22 * SECOND, requestsPerSecond: 9 },
  { from: 38 * SECOND, requestsPerSecond: 0.05 },
];
const DURATION = 58 * SECOND;
const PORT = 8101;

function configText(statusUrl: string, farmFile: string): string {
  return `[LOAD TABLE]
#req/s  min max
0.5     0   1
1.0     1   2
5.0     3   4

[MASTER]
poll_interval     = 0.05           # minutes: three seconds
server_status_url = ${statusUrl}
renderfarm_conf   = ${farmFile}
reload_command    = none
drain_time        = 5              # seconds
external_ip       = 127.0.0.1

[SLAVE]
instance_type     = m5.large m6i.large
spot_bid          = 0.10
ports             = ${PORT}
region            = us-west-2
image_id          = GBrowse-2.54
`;
}

/**
 * `npm run demo`: the balancer itself, for a minute, on this machine alone. Its control loop, its HTTP
 * requests and its farm file are real; Apache and EC2 are stand-ins, and each slave is a listener on a loopback address.
 *
 * @returns the exit status
 */
export async function demo(): Promise<number> {
  const log = createLog({ verbosity: 2, format: 'text', stream: process.stderr });
  const directory = await mkdtemp(path.join(tmpdir(), 'gbrowse-demo-'));
  const farmFile = path.join(directory, 'renderfarm.conf');
  await writeFile(farmFile, '[GENERAL]\nrenderfarm = 0\nremote renderer =\n');

  const profile = createLoadProfile(LOAD);
  const apache = await startApacheStandIn(systemClock, profile);
  const random = createRandom('demo');
  const cloud = createSimulatedEc2({
    clock: systemClock,
    random,
    settings: {
      ...LOOPBACK_NETWORK,
      pendingTime: [1 * SECOND, 2 * SECOND],
      shutdownTime: 2 * SECOND,
      lag: SECOND / 2,
    },
  });
  const slaves = createSimulatedSlaves({
    clock: systemClock,
    random,
    account: cloud.account,
    settings: { bootTime: [2 * SECOND, 4 * SECOND] },
  });
  const listeners = createLoopbackSlaves(slaves, [PORT]);
  const ticker = setInterval(() => void listeners.sync().catch(error => log.error(String(error))), 100);

  const text = configText(apache.url, farmFile);
  const { config, problems } = parseConfig('demo.conf', text);
  if (config === undefined) throw new Error(problems.join('\n'));
  log.info(`a demonstration: no AWS account is used. The configuration:\n${text}`);
  const balancer = startBalancer(
    {
      clock: systemClock,
      readStatus: readStatus(config.master.serverStatusUrl, { timeLimit: config.master.pollInterval }),
      fleet: createSpotFleet({
        ec2: retryReads(cloud.ec2, systemClock),
        site: { name: 'demo', reach: 'public', image: 'GBrowse-2.54', address: '127.0.0.1' },
        findAddress: () => Promise.resolve('127.0.0.1'),
      }),
      probe: createProbe(2 * SECOND),
      farm: createFarm({ file: farmFile, reloadCommand: config.master.reloadCommand }),
      log,
    },
    { config, runId: 'demo', listed: [] },
  );

  const announcements = LOAD.map(({ from, requestsPerSecond }) =>
    setTimeout(() => log.info(`--- the site now gets ${requestsPerSecond} requests/s`), from),
  );
  const over = setTimeout(() => {
    log.info('--- the demonstration is over: the balancer is told to stop, as by SIGTERM');
    balancer.stop();
  }, DURATION);
  const release = handleSignals({
    stop: () => balancer.stop(),
    stopNow: () => balancer.stop(),
    stopKeepingSlaves: () => balancer.stop(),
    reload: () => {},
  });

  const end = await balancer.ended;
  release();
  for (const timer of [ticker, over, ...announcements]) clearTimeout(timer);
  const left = cloud.account
    .instances()
    .filter(({ state }) => state === 'pending' || state === 'running').length;
  log.info(
    `--- ${cloud.calls().length} EC2 calls, ${left} instances left; ${farmFile} at the end:\n${await readFile(farmFile, 'utf8')}`,
  );
  await listeners.close();
  await apache.close();
  await rm(directory, { recursive: true });
  return end === 'clean' && left === 0 ? 0 : 1;
}
