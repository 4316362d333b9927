import type { Of } from './shape.ts';

/** Goes up when a name of the report changes its meaning or goes away; new names may come at any time. */
export const SCHEMA_VERSION = 1;

/**
 * How the boot of a slave went. The first is when its kernel started: EC2 calls it `running` then. The others are how
 * many seconds later each phase was over, by the slave's own clock; null where it has not said so.
 */
const BOOT = {
  kernelStartedAt: 'time',
  kernelSeconds: 'number?',
  networkSeconds: 'number?',
  dataSeconds: 'number?',
  listeningSeconds: 'number?',
} as const;

const SLAVE = {
  instanceId: 'text',
  /** One of SlaveState. */
  state: 'text',
  /** Why it leaves, or that it missed probes; in words. */
  reason: 'text?',
  instanceType: 'text',
  availabilityZone: 'text',
  address: 'text?',
  ports: ['number'],
  launchedAt: 'time',
  ageSeconds: 'number',
  readyAt: 'time?',
  /** Null while it has said nothing of its boot. */
  boot: [BOOT, null],
  /** How often it has drawn for GBrowse, and when it was last seen to; to within 15 seconds. Null: it does not say. */
  renders: 'number?',
  lastRenderAt: 'time?',
  /** When its drain ends. */
  drainEndsAt: 'time?',
  /** Until when it is kept though `min` does not ask for it, in case the load comes back. */
  keptUntil: 'time?',
  /** Whether it was bought on demand, because spot had no capacity. */
  onDemand: 'flag',
  pricePerHour: 'number',
  /** False: `pricePerHour` is the bid, which it costs at the most. */
  priceIsKnown: 'flag',
  dataSnapshots: ['text'],
  /** Whether these are the snapshots that the configuration names now. */
  dataIsCurrent: 'flag',
} as const;

const EVENT = { time: 'time', level: 'text', message: 'text' } as const;
const CALLS = { action: 'text', calls: 'number', errors: 'number' } as const;
const SPENT = { since: 'time', dollars: 'number', isUpperBound: 'flag' } as const;

/** The report of a running balancer: what `status --json` prints, and what comes over the socket. */
export const REPORT = {
  schemaVersion: 'number',
  time: 'time',
  balancer: {
    version: 'text',
    pid: 'number',
    master: 'text',
    configFile: 'text',
    startedAt: 'time',
    uptimeSeconds: 'number',
    /** `running`, `stopping`, or `ending and keeping its slaves`. */
    phase: 'text',
    pollIntervalSeconds: 'number',
    nextPollAt: 'time?',
  },
  /** Set while GBrowse is to draw locally. */
  pause: [
    {
      since: 'time',
      /** Null: until somebody ends it. */
      until: 'time?',
      /** Whether the slaves are released; else they are kept. */
      releasesSlaves: 'flag',
    },
    null,
  ],
  load: {
    /** The last load that was measured; null before the first. */
    requestsPerSecond: 'number?',
    /** Whether it is the load of now: false before the first measurement, and while the load cannot be read. */
    isCurrent: 'flag',
    measuredAt: 'time?',
    /** Why it cannot be read or determined. */
    error: 'text?',
    /** Since when Apache is overloaded, and how that shows; null while it is not. */
    overloadedSince: 'time?',
    overload: 'text?',
    lastHourMeanRequestsPerSecond: 'number?',
    lastHourPeakRequestsPerSecond: 'number?',
  },
  /** What the load calls for; null while it is not known. */
  wanted: [
    {
      minSlaves: 'number',
      maxSlaves: 'number',
      /** First column of the load table's row; null below the first row. */
      rowRequestsPerSecond: 'number?',
    },
    null,
  ],
  release: {
    /** How long a slave that `min` no longer asks for is kept; null: as long as `max` allows. */
    keepTimeSeconds: 'number?',
    /** The median of the latest boots of this site's slaves; null before the first. */
    bootTimeSeconds: 'number?',
    /** Of how many boots that is the median. */
    bootsMeasured: 'number',
  },
  slaves: [SLAVE],
  farm: { listedUrls: ['text'], reloadIsDue: 'flag' },
  launches: {
    /** Instances asked for that EC2 does not show yet. */
    underway: 'number',
    lastHour: 'number',
    failedBootsInARow: 'number',
    refusalsInARow: 'number',
    /** Since when spot has had no capacity within the bid; null with on_demand = 0, and while nothing is lacking. */
    noSpotSince: 'time?',
    /** Nothing is launched before. */
    heldUntil: 'time?',
    reason: 'text?',
  },
  /** What failed and is tried again. */
  retries: [{ what: 'text', failuresInARow: 'number', nextAttemptAt: 'time' }],
  decisions: [EVENT],
  problems: [EVENT],
  ec2: {
    callsToday: 'number',
    errorsToday: 'number',
    callsSinceStart: 'number',
    errorsSinceStart: 'number',
    /** A day begins at midnight UTC, as on AWS's bill. */
    today: [CALLS],
    sinceStart: [CALLS],
    lastError: [{ time: 'time', action: 'text', code: 'text', message: 'text' }, null],
  },
  /** US dollars for instances; disks and traffic come on top. */
  money: {
    pricePerHour: 'number',
    isUpperBound: 'flag',
    today: SPENT,
    sinceStart: SPENT,
    /** The calendar month (UTC), over restarts; null where the balancer does not keep it. */
    month: [
      {
        month: 'text',
        dollars: 'number',
        /** What it may be at the most: some prices are known only later. */
        dollarsAtMost: 'number',
        budget: 'number?',
        /** Whether the budget is used up, so that nothing is launched. */
        isUsedUp: 'flag',
      },
      null,
    ],
  },
  /** What `[MASTER] notify` was told; null where it is not set. */
  notify: [
    {
      /** The last call of the command: `event` is `trouble` or `over`. */
      last: [{ time: 'time', topic: 'text', event: 'text', isFailed: 'flag' }, null],
      /** Troubles that were told, and are not over. */
      openTopics: ['text'],
    },
    null,
  ],
  messages: { warnings: 'number', errors: 'number' },
  /** The last hour, the oldest first; the last point is the minute that has just begun. */
  history: {
    stepSeconds: 'number',
    points: [
      {
        time: 'time',
        requestsPerSecond: 'number?',
        peakRequestsPerSecond: 'number?',
        servingSlaves: 'number',
        slaves: 'number',
        minSlaves: 'number?',
        maxSlaves: 'number?',
      },
    ],
  },
} as const;

export type Report = Of<typeof REPORT>;
export type ReportedSlave = Report['slaves'][number];
export type ReportedEvent = Report['decisions'][number];

/**
 * - `starting`: EC2 has not given it an address yet;
 * - `booting`: it does not answer yet;
 * - `ready`: it answers, and the farm file does not list it yet;
 * - `serving`: the farm file lists it;
 * - `not answering`: the farm file lists it, and it missed the last probe;
 * - `leaving`: on its way out, and still in the farm file;
 * - `draining`: out of the farm file, it finishes what it renders;
 * - `ending`: EC2 was asked to terminate it.
 */
export const SLAVE_STATES = [
  'starting',
  'booting',
  'ready',
  'serving',
  'not answering',
  'leaving',
  'draining',
  'ending',
] as const;

export type SlaveState = (typeof SLAVE_STATES)[number];
