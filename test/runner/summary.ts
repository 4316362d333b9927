/** What came of one group of tests. */
export type Result = {
  readonly group: string;
  readonly counts: {
    readonly tests: number;
    readonly passed: number;
    readonly failed: number;
    readonly cancelled: number;
    readonly skipped: number;
    readonly todo: number;
    readonly suites: number;
  };
  readonly failures: readonly Failure[];
  /** Why tests, or whole suites, were skipped. */
  readonly skips: readonly string[];
  /** The files that took longest. */
  readonly slowest: readonly { readonly file: string; readonly duration: number }[];
  /** In milliseconds. */
  readonly duration: number;
};

export type Failure = { readonly name: string; readonly file: string; readonly line: number | undefined };

/** Whether all is well with a group. One that found no tests at all is not. */
export function succeeded({ counts, failures, skips }: Result): boolean {
  const found = counts.tests > 0 || skips.length > 0;
  return found && counts.failed === 0 && counts.cancelled === 0 && failures.length === 0;
}

/** The last lines of a run: failures, what was skipped and why, a line a group, and the sums as Node's runner prints them. */
export function summary(results: readonly Result[]): string {
  const lines = ['', ...results.flatMap(failures), ...results.flatMap(skips)];
  const width = Math.max(...results.map(it => it.group.length));
  for (const result of results) {
    const { passed, failed, cancelled, skipped } = result.counts;
    const counts = [`${passed} passed`];
    if (failed + cancelled > 0) counts.push(`${failed + cancelled} failed`);
    if (skipped > 0) counts.push(`${skipped} skipped`);
    lines.push(
      `${succeeded(result) ? '✔' : '✖'} ${result.group.padEnd(width)}  ${seconds(result.duration).padStart(5)} s  ${counts.join(', ')}${slowest(result)}`,
    );
  }
  lines.push(...results.flatMap(nothingRan), ...totals(results));
  return `${lines.join('\n')}\n`;
}

function failures({ group, failures }: Result): string[] {
  return failures.map(
    ({ name, file, line }) => `✖ ${group}: ${name} (${file}${line === undefined ? '' : `:${line}`})`,
  );
}

function skips({ group, skips }: Result): string[] {
  const counted = new Map<string, number>();
  for (const reason of skips) counted.set(reason, (counted.get(reason) ?? 0) + 1);
  return [...counted].map(
    ([reason, count]) => `﹣ ${group}: ${count === 1 ? '' : `${count} times `}skipped: ${reason}`,
  );
}

function nothingRan({ group, counts, skips }: Result): string[] {
  if (counts.passed + counts.failed + counts.cancelled > 0) return [];
  const why = skips.length === 0 ? 'there are none' : [...new Set(skips)].join('; ');
  return [`! No ${group} test was run: ${why}`];
}

function totals(results: readonly Result[]): string[] {
  const sum = (key: keyof Result['counts']) => results.reduce((total, { counts }) => total + counts[key], 0);
  return [
    `ℹ tests ${sum('tests')}`,
    `ℹ suites ${sum('suites')}`,
    `ℹ pass ${sum('passed')}`,
    `ℹ fail ${sum('failed')}`,
    `ℹ cancelled ${sum('cancelled')}`,
    `ℹ skipped ${sum('skipped')}`,
    `ℹ todo ${sum('todo')}`,
    `ℹ duration_ms ${Math.round(results.reduce((total, { duration }) => total + duration, 0))}`,
  ];
}

function slowest({ slowest }: Result): string {
  if (slowest.length === 0) return '';
  return `; slowest: ${slowest.map(({ file, duration }) => `${file} ${seconds(duration)} s`).join(', ')}`;
}

function seconds(duration: number): string {
  return (duration / 1000).toFixed(0);
}
