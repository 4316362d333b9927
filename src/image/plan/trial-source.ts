import type { DatabaseUse } from '../../gbrowse/database-paths.ts';

/** A data source whose track shows that an image can draw, and the data that it opens. */
export type TrialSource = {
  readonly source: string;
  /** Files and directories of this master. */
  readonly paths: readonly string[];
  readonly bytes: number;
};

/** Most data (bytes) that are copied for a trial. */
export const MOST_TRIAL_DATA = 4 * 1024 ** 3;

/**
 * The data sources that an image can be tried with, the fewest data first. One that opens a database server cannot be
 * tried without the server's data.
 *
 * @param sizes bytes of each path that is there
 */
export function trialSources(
  uses: readonly DatabaseUse[],
  sizes: ReadonlyMap<string, number>,
): readonly TrialSource[] {
  const candidates: TrialSource[] = [];
  for (const [source, own] of Map.groupBy(uses, it => it.source)) {
    const paths = new Set<string>();
    let whole = true;
    for (const use of own) {
      if ('path' in use && sizes.has(use.path)) paths.add(use.path);
      else whole = false;
    }
    const bytes = [...paths].reduce((sum, it) => sum + (sizes.get(it) ?? 0), 0);
    if (whole && paths.size > 0 && bytes <= MOST_TRIAL_DATA) {
      candidates.push({ source, paths: outermost([...paths]), bytes });
    }
  }
  return candidates.toSorted((a, b) => a.bytes - b.bytes);
}

function outermost(paths: readonly string[]): readonly string[] {
  return paths.filter(it => !paths.some(other => other !== it && it.startsWith(`${other}/`))).toSorted();
}
