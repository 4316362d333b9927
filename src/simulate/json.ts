import { SECOND } from '../clock.ts';
import type { LoadTable } from '../config/config.ts';
import { NEED_IN_WORDS } from './need.ts';
import { loadOf, meanOf, partsOf, wantedOf } from './series.ts';
import type { Simulation } from './simulate.ts';
import type { Daily } from './suggest.ts';
import { monthForecast } from './words.ts';

const MOST_POINTS = 500;

/** A simulation for programs; the manual page describes it. Durations in seconds, money in dollars. */
export function asJson(
  simulation: Simulation,
  about: { readonly remarks: readonly string[]; readonly price: string },
): Record<string, unknown> {
  const { trace, own, other, world, requests, days, busiest, need, policies, suggestion, queue } = simulation;
  const parts = partsOf(trace, MOST_POINTS);
  const load = loadOf(trace, parts);
  const wanted = wantedOf(need, parts);
  const { bootTime } = world;
  return {
    load: {
      name: trace.name,
      start: trace.startedAt === undefined ? null : new Date(trace.startedAt).toISOString(),
      days,
      requests: Math.round(requests),
      requestsPerSecond: requests / trace.seconds,
      busiestMinute: busiest,
      remarks: about.remarks,
    },
    configuration: {
      name: own.name,
      pollInterval: own.settings.master.pollInterval / SECOND,
      loadTable: rowsOf(own.settings.loadTable),
    },
    otherConfiguration:
      other === undefined ? null : { name: other.name, loadTable: rowsOf(other.settings.loadTable) },
    bootTime: (typeof bootTime === 'number' ? [bootTime, bootTime] : bootTime).map(ms => ms / SECOND),
    price: about.price,
    interruptionsPerInstanceHour: world.interruptions,
    apache:
      queue === undefined
        ? null
        : {
            workers: queue.workers,
            serviceTime: queue.serviceTime,
            overloadedSeconds: queue.overloaded,
          },
    tooFewMeans: NEED_IN_WORDS,
    month: { forecast: monthForecast(simulation), budget: own.settings.slave.budget ?? null },
    policies: policies.map(({ id, title, outcome, tooFewKnown, timesBest = null }) => ({
      id,
      title,
      requestsWithTooFewSlaves: Math.round(outcome.tooFew),
      requestsWithTooFewSlavesForThePastMinute: Math.round(tooFewKnown),
      missingSlaveMinutes: outcome.missing / 60_000,
      slaveHoursPaid: outcome.paid / 3_600_000,
      slaveHoursServing: outcome.served / 3_600_000,
      launches: outcome.launches,
      interruptions: outcome.interruptions,
      cost: outcome.cost,
      costPerDay: outcome.cost / days,
      timesBest,
      days: outcome.days.map(({ tooFew, missing, cost }) => ({
        requestsWithTooFewSlaves: Math.round(tooFew),
        missingSlaveMinutes: missing / 60_000,
        cost,
      })),
    })),
    suggestion:
      suggestion === undefined || suggestion === 'impossible'
        ? null
        : {
            loadTable: rowsOf(suggestion.table),
            kept: suggestion.kept,
            sureness: suggestion.sureness,
            presentPerDay: dailyOf(suggestion.present),
            fittedPerDay: dailyOf(suggestion.fitted),
            unseenDays:
              suggestion.unseen === undefined
                ? null
                : {
                    days: suggestion.unseen.days,
                    cheaperDays: suggestion.unseen.cheaperDays,
                    presentPerDay: dailyOf(suggestion.unseen.present),
                    suggestedPerDay: dailyOf(suggestion.unseen.suggested),
                    savingUncertainty: suggestion.unseen.uncertainty,
                  },
            choices: suggestion.choices.map(({ table, whole }) => ({
              loadTable: rowsOf(table),
              perDay: dailyOf(whole),
            })),
          },
    series: {
      interval: parts.span / SECOND,
      requestsPerSecond: short(load.mean),
      busiestMinute: short(load.most),
      slavesWantedMin: short(wanted.min),
      slavesWantedMax: short(wanted.max),
      slavesServing: Object.fromEntries(
        policies.map(({ id, outcome }) => [id, short(meanOf(outcome.serving, parts))]),
      ),
    },
  };
}

function rowsOf(table: LoadTable) {
  return table.map(({ requestsPerSecond, min, max }) => ({ requestsPerSecond, min, max }));
}

function dailyOf({ cost, tooFew }: Daily) {
  return { cost, requestsWithTooFewSlaves: tooFew };
}

function short(values: Float64Array): number[] {
  return Array.from(values, value => Number(value.toFixed(3)));
}
