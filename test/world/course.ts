import type { History } from './history.ts';
import { budgetHolds } from './invariants/budget.ts';
import { farmIsTrue } from './invariants/farm.ts';
import { staysAlive, unknownLoadShrinksNothing } from './invariants/health.ts';
import { historyIsTrue } from './invariants/history.ts';
import { instanceRefreshIsGentle } from './invariants/instance-refresh.ts';
import type { Accuse, Invariant, InvariantNumber } from './invariants/invariant.ts';
import { neverTooMany, noLaunchLoop } from './invariants/numbers.ts';
import { onDemandIsTheLastResort } from './invariants/on-demand.ts';
import { nothingOfOthers, taggedFromBirth } from './invariants/ownership.ts';
import { busyIsNotDead, noLaunchAfterRelease } from './invariants/patience.ts';
import { pauseHolds } from './invariants/pause.ts';
import type { Mutation } from './mutation.ts';
import { createScene } from './scene.ts';
import { settle } from './settle.ts';
import { createTroublemaker } from './strike.ts';
import type { Witness } from './witness.ts';

export type Violation = {
  readonly invariant: InvariantNumber;
  /** When, true monotonic ms. */
  readonly at: number;
  readonly facts: string;
};

/** What came of a history. */
export type Course = {
  readonly violations: readonly Violation[];
  /** How much time went by in the world, ms. */
  readonly simulated: number;
  /** How many troubles struck. */
  readonly troubles: number;
  readonly ec2Calls: number;
  readonly launched: number;
  /** The same for the same history, whatever machine it runs on. */
  readonly digest: string;
  /** The end of the log. */
  readonly lines: readonly string[];
};

const INVARIANTS: readonly Invariant[] = [
  neverTooMany,
  taggedFromBirth,
  nothingOfOthers,
  farmIsTrue,
  noLaunchLoop,
  unknownLoadShrinksNothing,
  staysAlive,
  instanceRefreshIsGentle,
  busyIsNotDead,
  noLaunchAfterRelease,
  budgetHolds,
  onDemandIsTheLastResort,
  pauseHolds,
  historyIsTrue,
];

/** Lets a history take its course, and watches the invariants at every step. Stops soon after the first violation. */
export async function run(
  history: History,
  options: {
    readonly mutation?: Mutation;
    readonly until?: (violations: readonly Violation[]) => boolean;
  } = {},
): Promise<Course> {
  const enough = options.until ?? (violations => violations.length > 0);
  const scene = await createScene(history, options.mutation);
  const violations: Violation[] = [];
  const known = new Set<string>();
  let troubles = 0;
  let ec2Calls = 0;
  let launched = 0;

  const accuse: Accuse = (invariant, facts) => {
    // One of a kind: what is wrong is wrong at every step from then on.
    const kind = `${invariant} ${facts.replaceAll(/\d+|i-\w+/g, '')}`;
    if (known.has(kind) || violations.length >= 50) return;
    known.add(kind);
    violations.push({ invariant, at: scene.clock.monotonic(), facts });
    scene.note('court', `!!! ${invariant}. ${facts}`);
  };
  const counter: Partial<Witness> = {
    onCall: () => {
      ec2Calls += 1;
    },
    onEffect: (_, { action, answer }) => {
      if (action === 'CreateFleet' && typeof answer === 'object') launched += scene.newborn();
    },
  };
  scene.call(all([counter, ...INVARIANTS.map(invariant => invariant(scene, accuse))]));

  const { clock } = scene;
  const troublemaker = createTroublemaker(scene);
  const beginning = clock.monotonic();
  for (const master of scene.masters) master.start();
  for (const trouble of history.troubles) {
    await clock.runUntil(beginning + trouble.at);
    if (enough(violations)) break;
    troublemaker.strike(trouble);
    troubles += 1;
  }
  if (!enough(violations)) {
    await clock.runUntil(beginning + history.duration);
    troublemaker.heal();
    await settle(scene, accuse, () => enough(violations));
  }
  return {
    violations,
    simulated: clock.monotonic() - beginning,
    troubles,
    ec2Calls,
    launched,
    digest: scene.digest(),
    lines: scene.lines(),
  };
}

function all(witnesses: readonly Partial<Witness>[]): Witness {
  const tell =
    <K extends keyof Witness>(what: K) =>
    (...given: Parameters<Witness[K]>): void => {
      for (const witness of hearing.get(what) ?? [])
        (witness[what] as (...given: Parameters<Witness[K]>) => void)(...given);
    };
  const names = [
    'onCall',
    'onAnswer',
    'onBook',
    'onBookWrite',
    'onEffect',
    'onWrite',
    'onEdit',
    'onLog',
    'onReady',
    'onReading',
    'onSpent',
    'onStart',
    'onEnd',
    'onKill',
    'onStep',
  ] as const;
  const hearing = new Map(names.map(name => [name, witnesses.filter(it => it[name] !== undefined)]));
  return {
    onCall: tell('onCall'),
    onAnswer: tell('onAnswer'),
    onBook: tell('onBook'),
    onBookWrite: tell('onBookWrite'),
    onEffect: tell('onEffect'),
    onWrite: tell('onWrite'),
    onEdit: tell('onEdit'),
    onLog: tell('onLog'),
    onReady: tell('onReady'),
    onReading: tell('onReading'),
    onSpent: tell('onSpent'),
    onStart: tell('onStart'),
    onEnd: tell('onEnd'),
    onKill: tell('onKill'),
    onStep: tell('onStep'),
  };
}
