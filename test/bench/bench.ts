/**
 * Measures the executable and prints a table for CONTRIBUTING.md. `npm run bench`; with `-- --long` the figures that take a
 * quarter of an hour too. Another executable: `-- --program FILE`.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createMaster, type Master, PROGRAM, type Running } from '../e2e/world.ts';
import { type Ec2StandIn, startEc2 } from '../peers/ec2-stand-in.ts';

const { values: options } = parseArgs({ options: { long: { type: 'boolean' } } });
const POLL = 3;

/** A mod_status that has been up for a week at 0.05 requests/s. */
async function startWeekOldStatus() {
  const startedAt = Date.now() - 7 * 86_400_000;
  let visits = 7 * 86_400 * 0.05;
  let [rate, since] = [0.05, Date.now()];
  const server = createServer((_, response) => {
    visits += ((Date.now() - since) / 1000) * rate + 1;
    since = Date.now();
    const uptime = Math.floor((Date.now() - startedAt) / 1000);
    response.end(
      `localhost\nRestartTime: x\nServerUptimeSeconds: ${uptime}\nTotal Accesses: ${Math.floor(visits) - 1}\nBusyWorkers: 1\n`,
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}/server-status`,
    load(requestsPerSecond: number) {
      visits += ((Date.now() - since) / 1000) * rate;
      [rate, since] = [requestsPerSecond, Date.now()];
    },
    stop: () => server.close(),
  };
}

type Status = Awaited<ReturnType<typeof startWeekOldStatus>>;

const table: [string, string, string][] = [];

function row(what: string, bound: string, measured: string): void {
  table.push([what, bound, measured]);
  process.stderr.write(`${what}: ${measured}\n`);
}

function memoryOf(pid: number): { rss: number; anon: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kb = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return { rss: kb('VmRSS') / 1024, anon: kb('RssAnon') / 1024 };
}

/** CPU time that the process has used, ms. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function eventually<T>(
  look: () => T | undefined | false | Promise<T | undefined | false>,
  every = 20,
): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await sleep(every);
  }
}

async function answers(address: string): Promise<boolean> {
  const socket = connect(8101, address);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function tableOf(slaves: number): string {
  return `[LOAD TABLE]\n1 ${slaves} ${slaves}\n`;
}

async function withMaster(
  ec2: Ec2StandIn,
  settings: { name: string; slaves: number; pollMinutes: number },
  measure: (parts: { master: Master; status: Status; balancer: Running }) => Promise<void>,
): Promise<void> {
  const cleanUps: (() => unknown)[] = [];
  const status = await startWeekOldStatus();
  const master = createMaster(
    { after: (fn: unknown) => void cleanUps.push(fn as () => unknown), diagnostic: () => {} } as never,
    {
      ec2,
      name: settings.name,
      statusUrl: status.url,
      conf: `${tableOf(settings.slaves)}[MASTER]\nreload_command = none\ndrain_time = 1\nexternal_ip = 192.0.2.1\nrenderfarm_conf =\nserver_status_url =\npoll_interval = ${settings.pollMinutes}\n[SLAVE]\ninstance_type = m5.large\nspot_bid = 0.10\nports = 8101\nregion = us-west-2\nimage_id = GBrowse-2.54\n`,
    },
  );
  const balancer = master.start('--verbosity', '1');
  try {
    await measure({ master, status, balancer });
  } finally {
    balancer.signal('SIGTERM');
    await balancer.ended();
    for (const cleanUp of cleanUps) await cleanUp();
    status.stop();
  }
}

function versionTime(): void {
  const times = Array.from({ length: 15 }, () => {
    const start = performance.now();
    execFileSync(PROGRAM, ['--version'], { stdio: 'ignore' });
    return performance.now() - start;
  }).toSorted((a, b) => a - b);
  row('`--version`', '≤ 80 ms', `${Math.round(times[7] ?? 0)} ms (median of 15)`);
}

async function burst(ec2: Ec2StandIn): Promise<void> {
  await withMaster(
    ec2,
    { name: 'burst', slaves: 1, pollMinutes: POLL / 60 },
    async ({ master, status, balancer }) => {
      await sleep(3 * POLL * 1000);
      const rose = Date.now();
      status.load(10);
      const [call] = await eventually(async () => {
        const calls = await master.account.calls('CreateFleet');
        return calls.length > 0 && calls;
      });
      const polls = ((call?.at ?? 0) - rose) / 1000 / POLL;
      row(
        'a week at 0.05 requests/s, then 10: first launch',
        '2 polls (original: 17.7 h)',
        `${polls.toFixed(1)} polls`,
      );
      await master.serving(1);
      const { rss, anon } = memoryOf(balancer.pid);
      row(
        'memory after the first launch: RSS / private',
        '≤ 95 / ≤ 32 MB',
        `${rss.toFixed(0)} / ${anon.toFixed(0)} MB`,
      );
      const fell = Date.now();
      status.load(0);
      await eventually(() => master.farm().length === 0);
      row(
        'load fell → out of the farm file',
        '1 poll',
        `${((Date.now() - fell) / 1000 / POLL).toFixed(1)} polls`,
      );
    },
  );
}

async function readiness(ec2: Ec2StandIn): Promise<void> {
  await withMaster(ec2, { name: 'ready', slaves: 1, pollMinutes: 10 }, async ({ master, status }) => {
    status.load(10);
    const instance = await eventually(async () => (await master.account.state()).instances[0]);
    await eventually(() => answers(instance.address), 5);
    const open = Date.now();
    await eventually(() => master.farm().length === 1, 5);
    row(
      'port opens → in the farm file, polling every 10 minutes',
      '≤ 2 s',
      `${((Date.now() - open) / 1000).toFixed(1)} s`,
    );
  });
}

async function steady(ec2: Ec2StandIn, slaves: number): Promise<void> {
  await withMaster(
    ec2,
    { name: `steady${slaves}`, slaves, pollMinutes: POLL / 60 },
    async ({ master, status, balancer }) => {
      status.load(slaves === 0 ? 0 : 10);
      await eventually(() => master.farm().length === slaves, 200);
      await sleep(5 * POLL * 1000);
      const before = { cpu: cpuOf(balancer.pid), calls: (await master.account.calls()).length };
      const rounds = 10;
      await sleep(rounds * POLL * 1000);
      const cpu = (cpuOf(balancer.pid) - before.cpu) / rounds;
      const calls = ((await master.account.calls()).length - before.calls) / rounds;
      const { anon } = memoryOf(balancer.pid);
      row(
        `steady, ${slaves} slaves: EC2 calls / CPU a round`,
        slaves === 0 ? '0.2 a minute / ≤ 50 ms' : '≤ 2 / ≤ 50 ms',
        `${calls.toFixed(1)} / ${cpu.toFixed(0)} ms (private ${anon.toFixed(0)} MB)`,
      );
    },
  );
}

/** 10,000 rounds, sixteen a second. */
async function endurance(ec2: Ec2StandIn): Promise<void> {
  await withMaster(
    ec2,
    { name: 'long', slaves: 2, pollMinutes: 0.001 },
    async ({ master, status, balancer }) => {
      status.load(10);
      await eventually(() => master.farm().length === 2);
      const readings: number[] = [];
      for (let minute = 0; minute <= 10; minute++) {
        readings.push(Math.round(memoryOf(balancer.pid).anon));
        if (minute < 10) await sleep(62_000);
      }
      row('private memory over 10,000 rounds, minute by minute', 'flat', `${readings.join(' ')} MB`);
    },
  );
}

versionTime();
const ec2 = await startEc2();
await burst(ec2);
await readiness(ec2);
for (const slaves of [0, 1, 20, 200]) await steady(ec2, slaves);
if (options.long === true) await endurance(ec2);
await ec2.stop();
process.stdout.write('| | wanted | measured |\n|---|---|---|\n');
for (const columns of table) process.stdout.write(`| ${columns.join(' | ')} |\n`);
process.exit();
