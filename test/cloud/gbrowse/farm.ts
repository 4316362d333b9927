import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Running, run, until } from '../../e2e/world.ts';
import type { Ec2Instance } from '../../peers/ec2-stand-in.ts';
import { createVisitors } from '../../peers/visitors.ts';
import { type Cloud, startCloud } from '../cloud.ts';
import { type Audience, gather } from './audience.ts';
import { createBrowser } from './browser.ts';
import {
  DATABASES,
  databasesImage,
  keepDatabasesToOurselves,
  type RunsAs,
  type Site,
  startSite,
} from './site.ts';

/** A genome site whose tracks are drawn by real slaves in a cloud in a box, with people who look at it all the time. */
export type Farm = {
  readonly cloud: Cloud;
  readonly site: Site;
  readonly audience: Audience;
  /** Starts the balancer in the foreground. */
  startBalancer(): Running;
  /** Runs another command of the program with the same configuration. */
  command(...words: readonly string[]): Running;
  /** More requests/s at the web server, beside those of the audience: for small files. */
  crowd(requestsPerSecond: number): void;
  /** The addresses that the farm file lists. */
  listed(): readonly string[];
  /** Waits until it lists so many slaves. Gives them, and when the file was changed last (wall clock, ms). */
  serving(count: number): Promise<{ readonly slaves: readonly Ec2Instance[]; readonly since: number }>;
  /** The instances that live. */
  instances(): Promise<readonly Ec2Instance[]>;
  /** How often a slave has drawn, by its own log. */
  drawn(instance: string): Promise<number>;
  stop(): Promise<void>;
};

export type FarmOptions = {
  /** How many slaves a calm load asks for, and a crowd. 2 and 3 when left out. */
  readonly calm?: number;
  readonly crowd?: number;
  /** How GBrowse is told of its slaves: `live` when left out, `file` under CGI. */
  readonly tells?: 'file' | 'live';
  /** The root of a Debian system that slaves boot; when left out they show this machine's own files. */
  readonly image?: string;
  /** GBrowse's `slave_timeout`, s. */
  readonly slaveTimeout?: number;
  /** The balancer's `poll_interval`, minutes. */
  readonly pollInterval?: number;
};

/** Requests/s beside the audience's own 0 to 4: for a farm of two slaves, and of three. */
export const CALM = 2;
export const CROWD = 40;
const NAME = 'proof';

/** How the balancer tells GBrowse of its slaves. A GBrowse in memory follows a list by itself, or Apache is reloaded. */
function farmLines(runsAs: RunsAs, site: Site, list: string | undefined): string {
  if (list !== undefined) return `farm              = live\nfarm_list         = ${list}\n`;
  return runsAs === 'CGI' ? '' : `reload_command    = kill -USR1 ${site.apache.pid}\n`;
}

function configuration(
  cloud: Cloud,
  site: Site,
  snapshot: string,
  farm: string,
  { calm = 2, crowd = 3, pollInterval = 0.03 }: FarmOptions,
): string {
  return `[LOAD TABLE]
#req/s  min max
0.1     ${calm}   ${calm}
20      ${crowd}   ${crowd}

[MASTER]
name              = ${NAME}
external_ip       = ${cloud.master.address}
poll_interval     = ${pollInterval}           # minutes
server_status_url = ${site.apache.statusUrl}
renderfarm_conf   = ${site.farmFile}
state_directory   = ${site.farmFile}.state
${farm}drain_time        = 8
databases         = ${DATABASES}

[SLAVE]
instance_type     = m5.large m5a.large
spot_bid          = 0.10
ports             = 8101
region            = us-west-2
image_id          = GBrowse-2.54
data_snapshots    = ${snapshot}
`;
}

/** The pages are asked for by so many people at the same time. */
const PEOPLE = 2;

export async function startFarm(runsAs: RunsAs, options: FarmOptions = {}): Promise<Farm> {
  const { image, tells = runsAs === 'CGI' ? 'file' : 'live' } = options;
  keepDatabasesToOurselves();
  const [cloud, site] = await Promise.all([
    startCloud({ outside: true, hide: [DATABASES], ...(image !== undefined && { image }) }),
    startSite(runsAs, options.slaveTimeout),
  ]);
  // GBrowse puts an index beside the data when it sees them first; slaves that make it at the same time fail.
  await createBrowser(site.page).visit('chrI:1000..2000');
  const directory = path.join(cloud.directory, 'balancer');
  mkdirSync(directory);
  const snapshot = await cloud.importSnapshot(databasesImage(directory), 1);
  const confFile = path.join(directory, 'aws_balancer.conf');
  const list = tells === 'file' ? undefined : path.join(path.dirname(site.farmFile), 'farm/slaves');
  if (list !== undefined) mkdirSync(path.dirname(list), { mode: 0o755 });
  writeFileSync(confFile, configuration(cloud, site, snapshot, farmLines(runsAs, site, list), options));
  const account = cloud.account(NAME);
  const environment = {
    ...cloud.environment,
    AWS_ACCESS_KEY_ID: account.accessKey,
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: directory,
  };
  const visitors = createVisitors(`${site.apache.origin}/index.html`);
  const audience = gather(site.page, PEOPLE);
  const running: Running[] = [];

  function command(...words: readonly string[]): Running {
    const own = ['--conf', confFile, '--pidfile', path.join(directory, 'pid')];
    const started = run([...words, ...own], environment, { cwd: directory });
    running.push(started);
    return started;
  }

  function listed(): readonly string[] {
    if (list !== undefined && !existsSync(list)) return [];
    const text = readFileSync(list ?? site.farmFile, 'utf8');
    return [...text.matchAll(/^\s*http:\/\/(\S+):8101$/gm)].map(([, address = '']) => address);
  }

  return {
    cloud,
    site,
    audience,
    startBalancer: () => command(),
    command,
    crowd: requestsPerSecond => visitors.come(requestsPerSecond),
    listed,
    serving: count =>
      until(`the farm has ${count} slaves`, async () => {
        const addresses = listed();
        if (addresses.length !== count) return undefined;
        const { instances } = await account.state();
        const hosts = await Promise.all(instances.map(async it => ({ it, host: await cloud.host(it.id) })));
        const slaves = hosts.filter(({ host }) => addresses.includes(host.publicAddress ?? ''));
        return { slaves: slaves.map(({ it }) => it), since: statSync(list ?? site.farmFile).mtimeMs };
      }),
    instances: async () => (await account.state()).instances,
    async drawn(instance) {
      const pattern = 'operation=render_tracks; response=200';
      const count = `cat /var/log/gbrowse/gbrowse_slave* 2>/dev/null | grep -c '${pattern}' || true`;
      return Number(await cloud.run(instance, count));
    },
    async stop() {
      visitors.stop();
      await audience.leave();
      for (const { pid } of running) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It has ended.
        }
      }
      await site.stop();
      await cloud.stop();
    },
  };
}
