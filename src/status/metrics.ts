import { type Report, SLAVE_STATES } from './report.ts';

type Labels = Readonly<Record<string, string>>;
type Sample = { readonly labels?: Labels; readonly value: number };

type Metric = {
  /** Without the prefix that all have. */
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  /** Empty: it is not known now. */
  read(report: Report): readonly Sample[];
};

const PREFIX = 'gbrowse_aws_balancer_';

function one(value: number | boolean | null | undefined): readonly Sample[] {
  return value === null || value === undefined ? [] : [{ value: Number(value) }];
}

function seconds(time: string | null): readonly Sample[] {
  return time === null ? [] : [{ value: Date.parse(time) / 1000 }];
}

/** Every metric; a new one is one entry here. */
export const METRICS: readonly Metric[] = [
  {
    name: 'up',
    type: 'gauge',
    help: 'Whether the balancer runs: the file is removed when it stops.',
    read: () => one(1),
  },
  {
    name: 'build_info',
    type: 'gauge',
    help: 'Version of the balancer, in a label.',
    read: ({ balancer }) => [{ labels: { version: balancer.version }, value: 1 }],
  },
  {
    name: 'start_time_seconds',
    type: 'gauge',
    help: 'When the balancer was started, in seconds since 1970.',
    read: ({ balancer }) => seconds(balancer.startedAt),
  },
  {
    name: 'last_update_timestamp_seconds',
    type: 'gauge',
    help: 'When these metrics were written, in seconds since 1970; each round writes them.',
    read: ({ time }) => seconds(time),
  },
  {
    name: 'poll_interval_seconds',
    type: 'gauge',
    help: 'Length of a round.',
    read: ({ balancer }) => one(balancer.pollIntervalSeconds),
  },
  {
    name: 'paused',
    type: 'gauge',
    help: 'Whether the balancer is paused, so that GBrowse draws locally.',
    read: ({ pause }) => one(pause !== null),
  },
  {
    name: 'load_known',
    type: 'gauge',
    help: 'Whether the load can be read.',
    read: ({ load }) => one(load.isCurrent),
  },
  {
    name: 'overloaded',
    type: 'gauge',
    help: 'Whether Apache is overloaded: no worker is idle, or it accepts connections and does not answer in time.',
    read: ({ load }) => one(load.overloadedSince !== null),
  },
  {
    name: 'overloaded_since_timestamp_seconds',
    type: 'gauge',
    help: 'When Apache became overloaded, in seconds since 1970; absent while it is not overloaded.',
    read: ({ load }) => seconds(load.overloadedSince),
  },
  {
    name: 'load_requests_per_second',
    type: 'gauge',
    help: 'Load of Apache, as last measured.',
    read: ({ load }) => one(load.requestsPerSecond),
  },
  {
    name: 'wanted_slaves_min',
    type: 'gauge',
    help: 'Fewest slaves that the load calls for.',
    read: ({ wanted }) => one(wanted?.minSlaves),
  },
  {
    name: 'wanted_slaves_max',
    type: 'gauge',
    help: 'Most slaves that the load calls for.',
    read: ({ wanted }) => one(wanted?.maxSlaves),
  },
  {
    name: 'kept_slaves',
    type: 'gauge',
    help: 'Slaves that the load does not call for now, and that are kept in case it comes back.',
    read: ({ slaves }) => one(slaves.filter(it => it.keptUntil !== null).length),
  },
  {
    name: 'boot_time_seconds',
    type: 'gauge',
    help: 'How long the latest slaves took to boot: the median; absent before the first.',
    read: ({ release }) => one(release.bootTimeSeconds),
  },
  {
    name: 'slaves',
    type: 'gauge',
    help: 'Slaves that exist, by state.',
    read: ({ slaves }) =>
      SLAVE_STATES.map(state => ({
        labels: { state: state.replaceAll(' ', '_') },
        value: slaves.filter(it => it.state === state).length,
      })),
  },
  {
    name: 'on_demand_slaves',
    type: 'gauge',
    help: 'Slaves that were bought on demand, because spot had no capacity.',
    read: ({ slaves }) => one(slaves.filter(it => it.onDemand).length),
  },
  {
    name: 'no_spot_since_timestamp_seconds',
    type: 'gauge',
    help: 'Since when spot has had no capacity within the bid, in seconds since 1970; absent with on_demand = 0 and while nothing is lacking.',
    read: ({ launches }) => seconds(launches.noSpotSince),
  },
  {
    name: 'last_render_timestamp_seconds',
    type: 'gauge',
    help: 'When a slave was last seen to draw for GBrowse, in seconds since 1970; absent if no slave reports it.',
    read: ({ slaves }) =>
      seconds(
        slaves
          .map(it => it.lastRenderAt ?? '')
          .toSorted()
          .at(-1) || null,
      ),
  },
  {
    name: 'farm_urls',
    type: 'gauge',
    help: 'Slave URLs in renderfarm.conf.',
    read: ({ farm }) => one(farm.listedUrls.length),
  },
  {
    name: 'launches_held',
    type: 'gauge',
    help: 'Whether launches are held back after failures.',
    read: ({ launches }) => one(launches.heldUntil !== null),
  },
  {
    name: 'failed_boots',
    type: 'gauge',
    help: 'Slaves in a row that did not become ready.',
    read: ({ launches }) => one(launches.failedBootsInARow),
  },
  {
    name: 'refused_launches',
    type: 'gauge',
    help: 'Launches in a row that EC2 refused.',
    read: ({ launches }) => one(launches.refusalsInARow),
  },
  {
    name: 'retrying_tasks',
    type: 'gauge',
    help: 'Kinds of tasks that failed and are tried again.',
    read: ({ retries }) => one(retries.length),
  },
  {
    name: 'ec2_calls_total',
    type: 'counter',
    help: 'Calls of EC2, by action.',
    read: ({ ec2 }) => ec2.sinceStart.map(({ action, calls }) => ({ labels: { action }, value: calls })),
  },
  {
    name: 'ec2_errors_total',
    type: 'counter',
    help: 'Calls of EC2 that failed, by action.',
    read: ({ ec2 }) => ec2.sinceStart.map(({ action, errors }) => ({ labels: { action }, value: errors })),
  },
  {
    name: 'log_messages_total',
    type: 'counter',
    help: 'Messages of the log, by level.',
    read: ({ messages }) => [
      { labels: { level: 'warn' }, value: messages.warnings },
      { labels: { level: 'error' }, value: messages.errors },
    ],
  },
  {
    name: 'price_dollars_per_hour',
    type: 'gauge',
    help: 'What the slaves cost now, in US dollars an hour, without disks and traffic.',
    read: ({ money }) => one(money.pricePerHour),
  },
  {
    name: 'price_is_upper_bound',
    type: 'gauge',
    help: 'Whether the price includes a bid in place of an unknown spot price.',
    read: ({ money }) => one(money.isUpperBound),
  },
  {
    name: 'spent_dollars_total',
    type: 'counter',
    help: 'What the slaves have cost since the start, in US dollars, without disks and traffic.',
    read: ({ money }) => one(money.sinceStart.dollars),
  },
  {
    name: 'month_spent_dollars',
    type: 'gauge',
    help: 'The most that the slaves have cost in this calendar month (UTC), across restarts, in US dollars.',
    read: ({ money }) => one(money.month?.dollarsAtMost),
  },
  {
    name: 'budget_dollars',
    type: 'gauge',
    help: 'The budget of a calendar month, in US dollars.',
    read: ({ money }) => one(money.month?.budget),
  },
  {
    name: 'budget_used_up',
    type: 'gauge',
    help: 'Whether the budget of the month is used up, so that nothing is launched.',
    read: ({ money }) => one(money.month?.isUsedUp),
  },
  {
    name: 'notify_open_troubles',
    type: 'gauge',
    help: 'Troubles that [MASTER] notify was told of, and that are not over.',
    read: ({ notify }) => one(notify?.openTopics.length),
  },
  {
    name: 'notify_failed',
    type: 'gauge',
    help: 'Whether the last call of [MASTER] notify failed, so that nobody was told.',
    read: ({ notify }) => one(notify?.last?.isFailed),
  },
];

/**
 * A report in Prometheus's text format (version 0.0.4). Every sample has the master's name as a label: masters of one
 * machine have a file each, and node_exporter wants no sample twice.
 */
export function metricsText(report: Report): string {
  return METRICS.flatMap(({ name, type, help, read }) => {
    const samples = read(report);
    if (samples.length === 0) return [];
    const full = `${PREFIX}${name}`;
    return [
      `# HELP ${full} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`,
      `# TYPE ${full} ${type}`,
      ...samples.map(({ labels = {}, value }) => {
        const all = { master: report.balancer.master, ...labels };
        const pairs = Object.entries(all).map(([label, text]) => `${label}="${escaped(text)}"`);
        return `${full}{${pairs.join(',')}} ${value}`;
      }),
    ];
  })
    .join('\n')
    .concat('\n');
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
