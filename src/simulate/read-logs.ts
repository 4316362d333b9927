import { failure } from '../errors.ts';
import { harmless } from '../format/harmless.ts';
import { counted } from '../format/numbers.ts';
import type { RequestFilter } from '../load/log/counts.ts';
import { createLogScanner, type LogTally } from './access-log.ts';
import { isDirectory, readPieces } from './files.ts';
import { createSecondCounts } from './second-counts.ts';
import type { Trace } from './trace.ts';

/** The result of logs: the load, and remarks about them (one sentence each). */
export type LoadRead = { readonly trace: Trace; readonly remarks: readonly string[] };

/**
 * Reads access logs, in any order: the requests are counted by the second.
 *
 * @param filter says which requests are load
 * @throws {UserError} when one cannot be read, or none has a request in it
 */
export async function readLogs(files: readonly string[], filter: RequestFilter): Promise<LoadRead> {
  const counts = createSecondCounts();
  const tallies: { readonly file: string; readonly tally: LogTally }[] = [];
  const remarks: string[] = [];
  for (const file of files) {
    if (files.length > 1 && (await isDirectory(file))) {
      remarks.push(`${file}: is a directory, left out`);
      continue;
    }
    const scanner = createLogScanner(file, counts, filter);
    for await (const piece of readPieces(file)) scanner.write(piece);
    tallies.push({ file, tally: scanner.end() });
  }
  remarks.push(...tallies.flatMap(({ file, tally }) => remarksOf(file, tally)));
  if (tallies.every(({ tally }) => tally.requests === 0)) {
    const why = remarks.length > 0 ? remarks.join('\n') : `${files.join(', ')}: empty`;
    throw failure(
      `${why}\nthere is no request to replay; expected access logs: lines with a time and a request, such as\n    192.0.2.7 - - [17/May/2026:10:05:03 +0000] "GET /gb2/gbrowse/yeast/ HTTP/1.1" 200 4096`,
    );
  }
  const zone = tallies.find(({ tally }) => tally.zone !== undefined)?.tally.zone ?? 0;
  const [first = ''] = files;
  const name = files.length === 1 ? first : `${first} and ${files.length - 1} more`;
  const { trace, remarks: strays } = counts.trace(name);
  return { trace: { ...trace, zone }, remarks: [...remarks, ...strays] };
}

function remarksOf(
  file: string,
  { requests, bad, firstBad, firstBadText, status, other }: LogTally,
): readonly string[] {
  const all = bad > 1 && requests === 0 && status === 0 && other === 0 ? 'all ' : '';
  return [
    ...(bad > 0
      ? [
          `${file}: ${all}${counted(bad, 'line has', 'lines have')} no time or no request, left out; the first is line ${firstBad}: ${harmless(firstBadText)}`,
        ]
      : []),
    ...(status > 0
      ? [
          `${file}: ${counted(status, 'request')} for the status page, left out as the balancer leaves them out`,
        ]
      : []),
    ...(other > 0 ? [`${file}: ${counted(other, 'request')} that load_match does not match, left out`] : []),
  ];
}
