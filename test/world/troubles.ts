import { HOUR, MINUTE, SECOND } from '../../src/clock.ts';
import type { Ec2Action } from '../../src/ec2/api.ts';
import { FOREIGN_ANSWER, NO_ANSWER } from '../../src/ec2/errors.ts';
import type { Random } from '../../src/simulate/random.ts';
import { BROKEN, GONE, GOOD } from './snapshots.ts';
import type { Loss } from './state-files.ts';

/** What goes wrong, or is done by somebody, at a moment. `at` and durations in ms; `which` picks a slave, 0 to 1. */
export type Trouble = { readonly at: number } & (
  | {
      readonly kind: 'ec2 fails';
      readonly actions: readonly Ec2Action[];
      /** An error code, or `hang`. */
      readonly code: string;
      readonly when: 'before' | 'after';
      readonly probability: number;
      readonly duration: number;
    }
  | { readonly kind: 'no capacity'; readonly left: number; readonly duration: number }
  | { readonly kind: 'price rises'; readonly price: number; readonly duration: number }
  | { readonly kind: 'pools refuse'; readonly code: string; readonly duration: number }
  | {
      readonly kind: 'interruption';
      readonly which: number;
      readonly notice: number;
      readonly finalAtOnce: boolean;
    }
  | { readonly kind: 'terminated by hand' | 'fails to start' | 'powers off'; readonly which: number }
  | { readonly kind: 'tag taken away'; readonly which: number }
  | { readonly kind: 'template deleted by hand' }
  | {
      readonly kind: 'slave behaves';
      readonly which: number;
      readonly how: 'refuses' | 'hangs' | 'flaps' | 'half' | 'slow';
      readonly duration: number;
    }
  | {
      readonly kind: 'apache';
      readonly how: 'down' | 'hangs' | 'wrong page' | 'slow' | 'times out' | 'saturated';
      readonly duration: number;
    }
  | { readonly kind: 'apache restarts' }
  | { readonly kind: 'apache counts'; readonly shift: number }
  | {
      readonly kind: 'disk';
      readonly how: 'full' | 'read-only' | 'unreadable' | 'hangs';
      readonly duration: number;
    }
  | {
      readonly kind: 'file written by somebody';
      readonly how: 'torn' | 'empty' | 'garbage' | 'foreign' | 'gone';
    }
  | { readonly kind: 'reload fails' | 'reload is slow'; readonly duration: number }
  /** The master has no file descriptors left, or no network. */
  | { readonly kind: 'own trouble'; readonly how: 'descriptors' | 'network'; readonly duration: number }
  /** The part of the balancer that writes the farm file is killed. */
  | { readonly kind: 'keeper dies' }
  /** A state file is damaged or removed; unset: that of what was spent. */
  | { readonly kind: 'state lost'; readonly how: Loss; readonly what?: 'budget' | 'pause' | 'history-recent' }
  /** The administrator pauses the balancer, for so long by the machine's clock or until somebody ends it. */
  | { readonly kind: 'paused'; readonly release: boolean; readonly length?: number }
  | { readonly kind: 'resumed' }
  | { readonly kind: 'clock steps'; readonly by: number }
  | { readonly kind: 'machine sleeps'; readonly duration: number }
  | { readonly kind: 'killed'; readonly downtime: number }
  | {
      readonly kind: 'killed at a call';
      /** After so many more moments at which something is sent, happens or is answered. */
      readonly after: number;
      readonly downtime: number;
    }
  | {
      readonly kind: 'stopped';
      readonly how: 'cleanly' | 'hurried' | 'keeping slaves';
      readonly downtime: number;
    }
  | { readonly kind: 'new data'; readonly snapshots: readonly string[] }
  | { readonly kind: 'configuration'; readonly how: 'another' | 'bad' | 'the same'; readonly seed: number }
);

export type TroubleKind = Trouble['kind'];

const MUTATING: readonly Ec2Action[] = [
  'CreateFleet',
  'TerminateInstances',
  'CreateTags',
  'CreateLaunchTemplate',
  'CreateSecurityGroup',
  'DeleteSecurityGroup',
  'DeleteLaunchTemplate',
  'AuthorizeSecurityGroupIngress',
];
const READING: readonly Ec2Action[] = [
  'DescribeInstances',
  'DescribeSpotInstanceRequests',
  'DescribeImages',
  'DescribeSubnets',
  'DescribeLaunchTemplates',
  'DescribeSecurityGroups',
];
const CODES = [
  NO_ANSWER,
  NO_ANSWER,
  'hang',
  'hang',
  FOREIGN_ANSWER,
  FOREIGN_ANSWER,
  'RequestLimitExceeded',
  'RequestLimitExceeded',
  'InternalError',
  'InternalError',
  'ServiceUnavailable',
  'UnauthorizedOperation',
  'RequestExpired',
  'InsufficientInstanceCapacity',
  'InvalidParameterValue',
  'SomethingNobodyHasSeen',
];
/** EC2 gives these only for a call that had no effect. */
const AFTER_THE_EFFECT = [NO_ANSWER, FOREIGN_ANSWER, 'hang', 'InternalError', 'ServiceUnavailable'];

/** Any trouble, as likely as its weight says; none lasts longer than is left. */
export function drawTrouble(random: Random, at: number, left: number): Trouble {
  const long = () =>
    Math.min(
      left,
      Math.round(random.pick([20 * SECOND, 2 * MINUTE, 10 * MINUTE, 20 * MINUTE]) * (0.5 + random.next())),
    );
  const which = random.next();
  const downtime = random.pick([0, 0, 500, 5 * SECOND, 30 * SECOND, 5 * MINUTE, 90 * MINUTE]);
  const draws: readonly (readonly [weight: number, draw: () => Trouble])[] = [
    [14, () => drawEc2Failure(random, at, long())],
    [2, () => ({ at, kind: 'no capacity', left: random.integer(3), duration: long() })],
    [2, () => ({ at, kind: 'price rises', price: random.pick([0.09, 0.2, 5]), duration: long() })],
    [
      2,
      () => ({
        at,
        kind: 'pools refuse',
        code: random.pick([
          'MaxSpotInstanceCountExceeded',
          'VcpuLimitExceeded',
          'UnfulfillableCapacity',
          'Unsupported',
        ]),
        duration: long(),
      }),
    ],
    [
      5,
      () => ({
        at,
        kind: 'interruption',
        which,
        notice: random.pick([0, 30 * SECOND, 2 * MINUTE, 2 * MINUTE]),
        finalAtOnce: random.chance(0.3),
      }),
    ],
    [3, () => ({ at, kind: random.pick(['terminated by hand', 'fails to start', 'powers off']), which })],
    [1, () => ({ at, kind: 'tag taken away', which })],
    [1, () => ({ at, kind: 'template deleted by hand' })],
    [
      10,
      () => ({
        at,
        kind: 'slave behaves',
        which,
        how: random.pick(['refuses', 'refuses', 'hangs', 'hangs', 'flaps', 'half', 'slow']),
        duration: random.pick([5 * SECOND, MINUTE, 20 * MINUTE, Math.max(left, HOUR)]),
      }),
    ],
    [
      5,
      () => ({
        at,
        kind: 'apache',
        how: random.pick(['down', 'hangs', 'wrong page', 'slow', 'times out', 'saturated', 'saturated']),
        duration: long(),
      }),
    ],
    [2, () => ({ at, kind: 'apache restarts' })],
    [1, () => ({ at, kind: 'apache counts', shift: random.pick([-1_000_000, -50, 50]) })],
    [
      4,
      () => ({
        at,
        kind: 'disk',
        how: random.pick(['full', 'read-only', 'unreadable', 'hangs', 'hangs']),
        duration: long(),
      }),
    ],
    [
      2,
      () => ({
        at,
        kind: 'file written by somebody',
        how: random.pick(['torn', 'empty', 'garbage', 'foreign', 'gone']),
      }),
    ],
    [2, () => ({ at, kind: random.pick(['reload fails', 'reload is slow']), duration: long() })],
    [
      2,
      () => ({
        at,
        kind: 'clock steps',
        by: random.pick([-24 * HOUR, -HOUR, -MINUTE, MINUTE, HOUR, 24 * HOUR]),
      }),
    ],
    [2, () => ({ at, kind: 'machine sleeps', duration: random.pick([10 * SECOND, 5 * MINUTE, 2 * HOUR]) })],
    [4, () => ({ at, kind: 'own trouble', how: random.pick(['descriptors', 'network']), duration: long() })],
    [1, () => ({ at, kind: 'keeper dies' })],
    [
      2,
      () => ({
        at,
        kind: 'state lost',
        how: random.pick(['torn', 'gone', 'of another master']),
        what: random.pick(['budget', 'pause', 'history-recent']),
      }),
    ],
    [
      4,
      () => ({
        at,
        kind: 'paused',
        release: random.chance(0.5),
        ...random.pick([{}, { length: 30 * SECOND }, { length: 5 * MINUTE }, { length: 40 * MINUTE }]),
      }),
    ],
    [3, () => ({ at, kind: 'resumed' })],
    [4, () => ({ at, kind: 'killed', downtime })],
    [8, () => ({ at, kind: 'killed at a call', after: random.integer(40), downtime })],
    [
      3,
      () => ({ at, kind: 'stopped', how: random.pick(['cleanly', 'hurried', 'keeping slaves']), downtime }),
    ],
    [
      4,
      () => ({
        at,
        kind: 'new data',
        snapshots: random.pick([
          ...GOOD.map(id => [id]),
          [GOOD[0], GOOD[3]],
          [BROKEN[0]],
          [BROKEN[1]],
          [GONE[0]],
        ]),
      }),
    ],
    [
      4,
      () => ({
        at,
        kind: 'configuration',
        how: random.pick(['another', 'another', 'bad', 'the same']),
        seed: random.integer(1e6),
      }),
    ],
  ];
  let point = random.next() * draws.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, draw] of draws) {
    point -= weight;
    if (point < 0) return draw();
  }
  return { at, kind: 'apache restarts' };
}

function drawEc2Failure(random: Random, at: number, duration: number): Trouble {
  const drawn = random.pick(CODES);
  const actions = random.pick([
    [],
    MUTATING,
    READING,
    [random.pick(MUTATING)],
    [random.pick(MUTATING)],
    ['CreateFleet'],
    ['CreateTags'],
    ['TerminateInstances'],
    [random.pick(READING)],
    ['DescribeInstances'],
  ] as const satisfies readonly (readonly Ec2Action[])[]);
  // An instance that is not shown yet is met only where one is named.
  const named =
    actions.every(action => action === 'TerminateInstances' || action === 'CreateTags') && actions.length > 0;
  const code = named && random.chance(0.3) ? 'InvalidInstanceID.NotFound' : drawn;
  return {
    at,
    kind: 'ec2 fails',
    actions,
    code,
    when: AFTER_THE_EFFECT.includes(code) && random.chance(0.5) ? 'after' : 'before',
    probability: random.pick([0.1, 0.3, 0.5, 1, 1]),
    duration,
  };
}
