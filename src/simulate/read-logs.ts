import { failure } from '../errors.ts';
import { createLogScanner, type LogTally } from './access-log.ts';
import { readPieces } from './files.ts';
import { createSecondCounts } from './second-counts.ts';
import type { Trace } from './trace.ts';

/** What logs gave: the load, and what there is to say about them (one sentence each). */
export type LoadRead = { readonly trace: Trace; readonly remarks: readonly string[] };

/**
 * Reads access logs, in any order: the requests are counted by the second.
 *
 * @throws {UserError} when one cannot be read, or none has a request in it
 */
export async function readLogs(files: readonly string[]): Promise<LoadRead> {
  const counts = createSecondCounts();
  const tallies: { readonly file: string; readonly tally: LogTally }[] = [];
  for (const file of files) {
    const scanner = createLogScanner(counts);
    for await (const piece of readPieces(file)) scanner.write(piece);
    tallies.push({ file, tally: scanner.end() });
  }
  const remarks = tallies.flatMap(({ file, tally }) => remarksOf(file, tally));
  if (tallies.every(({ tally }) => tally.requests === 0)) {
    const why = remarks.length > 0 ? remarks.join('\n') : `${files.join(', ')}: empty`;
    throw failure(
      `${why}\nthere is no request to replay; expected access logs in Apache's common or combined format`,
    );
  }
  const zone = tallies.find(({ tally }) => tally.zone !== undefined)?.tally.zone ?? 0;
  const [first = ''] = files;
  const name = files.length === 1 ? first : `${first} and ${files.length - 1} more`;
  return { trace: { ...counts.trace(name), zone }, remarks };
}

function remarksOf(file: string, { requests, bad, firstBad, status }: LogTally): string[] {
  const all = requests === 0 && status === 0 ? 'all ' : '';
  return [
    ...(bad > 0
      ? [
          `${file}: ${all}${bad} ${bad === 1 ? 'line is' : 'lines are'} not in Apache's common or combined format (the first is line ${firstBad}), left out`,
        ]
      : []),
    ...(status > 0
      ? [
          `${file}: ${status} ${status === 1 ? 'request' : 'requests'} for /server-status, left out as the balancer does with its own`,
        ]
      : []),
  ];
}
