import path from 'node:path';
import type { Track, Visit } from './browser.ts';

/** Where the table of the last run is. */
export const RESULT = path.resolve(import.meta.dirname, '../../../dist/cloud/gbrowse.md');

/** What became of all tracks of all pages of one scenario. */
export type Tally = {
  readonly scenario: string;
  readonly pages: number;
  readonly tracks: number;
  readonly delivered: number;
  /** GBrowse says that it cannot be drawn, or the request was lost. */
  readonly errors: number;
  /** Delivered, but after more than ten seconds. */
  readonly slow: number;
  /** The longest that a delivered track took, ms. */
  readonly longest: number;
};

/** A track that takes longer (ms) is as bad as none. */
export const SLOW = 10_000;

/** @param slow ms from which on a track is late */
export function isBad(track: Track, slow = SLOW): boolean {
  return track.outcome !== 'delivered' || track.took > slow;
}

export function tally(scenario: string, visits: readonly Visit[]): Tally {
  const tracks = visits.flatMap(visit => visit.tracks);
  const delivered = tracks.filter(track => track.outcome === 'delivered');
  return {
    scenario,
    pages: visits.length,
    tracks: tracks.length,
    delivered: delivered.length,
    errors: tracks.length - delivered.length,
    slow: delivered.filter(it => isBad(it)).length,
    longest: Math.max(0, ...delivered.map(track => track.took)),
  };
}

/** The bad tracks in words, for a test that fails. */
export function complaints(visits: readonly Visit[], slow = SLOW): string[] {
  return visits.flatMap(visit =>
    visit.tracks
      .filter(it => isBad(it, slow))
      .map(
        ({ name, outcome, took, reason = '' }) =>
          `${new Date(visit.startedAt).toISOString()} ${visit.region} ${name}: ${outcome} after ${took} ms ${reason}`,
      ),
  );
}

/** The table for CONTRIBUTING.md: one line a scenario, one group of columns a way of running GBrowse. */
export function table(
  columns: readonly { readonly name: string; readonly tallies: readonly Tally[] }[],
): string {
  const scenarios = new Set(columns.flatMap(({ tallies }) => tallies.map(it => it.scenario)));
  const lines = [
    `| | ${columns.map(({ name }) => `${name}: pages | tracks | errors | slower than 10 s | slowest`).join(' | ')} |`,
    `|---|${'---:|'.repeat(5 * columns.length)}`,
  ];
  for (const scenario of scenarios) {
    const cells = columns.map(({ tallies }) => {
      const it = tallies.find(one => one.scenario === scenario);
      return it === undefined
        ? '– | – | – | – | –'
        : `${it.pages} | ${it.tracks} | ${it.errors} | ${it.slow} | ${(it.longest / 1000).toFixed(1)} s`;
    });
    lines.push(`| ${scenario} | ${cells.join(' | ')} |`);
  }
  return `${lines.join('\n')}\n`;
}
