import { HOUR } from '../clock.ts';
import type { LoadTable } from '../config/config.ts';
import type { ReleaseAfter } from '../policy/release.ts';
import type { World } from './chance.ts';
import type { Run } from './lifetimes.ts';
import { measure, type Outcome, requestsShort } from './measure.ts';
import { loadAt, type Need, needOf, pastNeedOf } from './need.ts';
import { queued, type Server } from './queue.ts';
import { readingsOf, runBalancer } from './run-balancer.ts';
import { runBest } from './run-best.ts';
import { runFixed } from './run-fixed.ts';
import { runOriginal } from './run-original.ts';
import type { Settings } from './settings.ts';
import { type Suggestion, suggest } from './suggest.ts';
import { durationOf, type Trace } from './trace.ts';

/** A configuration under its name. */
export type Named = { readonly name: string; readonly settings: Settings };

export type Options = {
  readonly trace: Trace;
  readonly own: Named;
  /** Another configuration, to compare with the first. */
  readonly other?: Named;
  readonly world: World;
  /** How many slaves the fixed farm has; what the highest load needs, when unset. */
  readonly fixed?: number;
  readonly suggest: boolean;
  /** The Apache that people's requests wait at; when unset, it serves all at once. */
  readonly server?: Server;
};

/** A way to keep a farm, and its results. */
export type Policy = {
  readonly id:
    | 'none'
    | 'fixed'
    | 'original'
    | 'balancer'
    | 'auto'
    | 'never'
    | 'climb'
    | 'ignore'
    | 'onDemand'
    | 'spot'
    | 'other'
    | 'suggested'
    | 'best';
  /** For people, 24 characters at most. */
  readonly title: string;
  readonly run: Run;
  readonly outcome: Outcome;
  /** Requests that met fewer slaves than the load of the minute before called for: what a balancer could know. */
  readonly tooFewKnown: number;
  /** Its cost, divided by that of the best possible; unset when that costs nothing. */
  readonly timesBest?: number;
};

export type Simulation = {
  readonly trace: Trace;
  readonly own: Named;
  readonly other?: Named;
  readonly world: World;
  readonly requests: number;
  readonly days: number;
  /** The load of the busiest minute, requests/s. */
  readonly busiest: number;
  readonly need: Need;
  readonly policies: readonly Policy[];
  /** The Apache that was modelled, and for how long (s) none of its workers was idle. */
  readonly queue?: Server & { readonly overloaded: number };
  /** Unset where none was asked for; `impossible` where the table never wants a slave at this load. */
  readonly suggestion?: Suggestion | 'impossible';
};

/**
 * Replays a trace under every policy. All are judged by what the first configuration's load table calls for, in the
 * same market. The answer depends on nothing but the options.
 */
export function simulate(options: Options): Simulation {
  const { trace, own, other, world, server } = options;
  const queue = server === undefined ? undefined : queued(trace, server);
  const shown = queue?.completed ?? trace;
  const balancer = (settings: Settings) =>
    runBalancer(shown, settings, world, readingsOf(shown, settings), queue?.saturated);
  const need = needOf(trace, own.settings.loadTable);
  const past = pastNeedOf(trace, own.settings.loadTable);
  const fixed = options.fixed ?? need.most;
  const suggestion = options.suggest
    ? (suggest(trace, need, own.settings, world) ?? 'impossible')
    : undefined;
  const best = measure(trace, need, runBest(need, world), world.market);

  function policy(id: Policy['id'], title: string, run: Run): Policy {
    const outcome = measure(trace, need, run, world.market);
    const tooFewKnown = requestsShort(trace, past, outcome.serving);
    return {
      id,
      title,
      run,
      outcome,
      tooFewKnown,
      ...(best.cost > 0 && { timesBest: outcome.cost / best.cost }),
    };
  }
  /** The same with the other release policy. */
  function released(): Policy {
    const isAuto = own.settings.master.releaseAfter === 'auto';
    const settings = withReleaseAfter(own.settings, isAuto ? 'never' : 'auto');
    const title = isAuto ? 'release_after = never' : 'release_after = auto';
    return policy(isAuto ? 'never' : 'auto', title, balancer(settings));
  }
  /** The same with slaves on demand, or without them; nothing where that makes no difference. */
  function onDemand(run: Run): readonly Policy[] {
    const { slave, loadTable } = own.settings;
    const isBought = (slave.onDemand ?? 0) > 0;
    const count = isBought ? 0 : Math.max(...loadTable.map(({ min }) => min));
    if (run.lackedSpot !== true) return [];
    const other = balancer({ ...own.settings, slave: { ...slave, onDemand: count } });
    const withThem = isBought ? run : other;
    if (withThem.lifetimes.every(it => it.onDemand === undefined)) return [];
    return [policy(isBought ? 'spot' : 'onDemand', `on_demand = ${count}`, other)];
  }
  /** The same with the other answer to overload. */
  function overloaded(): Policy {
    const overload = own.settings.master.overload === 'ignore' ? 'climb' : 'ignore';
    const settings: Settings = { ...own.settings, master: { ...own.settings.master, overload } };
    return policy(overload, `overload = ${overload}`, balancer(settings));
  }
  const ownRun = balancer(own.settings);
  const withTable = (loadTable: LoadTable): Settings => ({ ...own.settings, loadTable });
  const policies = [
    policy('none', 'no farm', { lifetimes: [], interruptions: 0 }),
    policy('fixed', `fixed farm of ${fixed}`, runFixed(trace, fixed, world)),
    policy('original', 'the Perl original', runOriginal(shown, own.settings, world)),
    policy('balancer', 'this balancer', ownRun),
    released(),
    ...onDemand(ownRun),
    ...(queue === undefined ? [] : [overloaded()]),
    ...(other === undefined ? [] : [policy('other', 'with the other file', balancer(other.settings))]),
    ...(suggestion === undefined || suggestion === 'impossible' || suggestion.kept
      ? []
      : [policy('suggested', 'with the suggested table', balancer(withTable(suggestion.table)))]),
    policy('best', 'the best possible', runBest(need, world)),
  ];
  return {
    trace,
    own,
    ...(other !== undefined && { other }),
    world,
    requests: trace.cumulative[trace.seconds] ?? 0,
    days: durationOf(trace) / (24 * HOUR),
    busiest: busiestMinute(trace),
    need,
    policies,
    ...(server !== undefined &&
      queue !== undefined && {
        queue: { ...server, overloaded: queue.saturated.reduce((sum, it) => sum + it, 0) },
      }),
    ...(suggestion !== undefined && { suggestion }),
  };
}

function withReleaseAfter(settings: Settings, releaseAfter: ReleaseAfter): Settings {
  return { ...settings, master: { ...settings.master, releaseAfter } };
}

function busiestMinute(trace: Trace): number {
  let busiest = 0;
  for (let second = 0; second < trace.seconds; second++) busiest = Math.max(busiest, loadAt(trace, second));
  return busiest;
}
