import { SECOND } from '../clock.ts';
import { duration } from '../format/durations.ts';
import type { Report, ReportedSlave } from './report.ts';

type Part = { readonly what: string; readonly seconds: number };

/** Each part of a slave's boot, from the call to EC2 until it answers the balancer; without those that are not known. */
function partsOf({ boot, launchedAt, readyAt }: ReportedSlave): readonly Part[] {
  if (boot === null) return [];
  const kernel = Date.parse(boot.kernelStartedAt);
  const after = (seconds: number | null) => (seconds === null ? undefined : kernel + seconds * SECOND);
  const ends: readonly (readonly [what: string, end: number | undefined])[] = [
    ['EC2', kernel],
    ['kernel', after(boot.kernelSeconds)],
    ['network', after(boot.networkSeconds)],
    ['data', after(boot.dataSeconds)],
    ['listening', after(boot.listeningSeconds)],
    ['answering', readyAt === null ? undefined : Date.parse(readyAt)],
  ];
  const known = ends.filter((it): it is readonly [string, number] => it[1] !== undefined);
  return known.map(([what, end], at) => {
    const begin = known[at - 1]?.[1] ?? Date.parse(launchedAt);
    return { what, seconds: Math.max(0, end - begin) / SECOND };
  });
}

/** `EC2 9 s, kernel 3.1 s, network 4 s, data 0.5 s, listening 1.2 s`: the median of the slaves; empty when none has told. */
export function bootLine({ slaves }: Report): string {
  const parts = Map.groupBy(slaves.flatMap(partsOf), it => it.what);
  return [...parts]
    .map(([what, them]) => {
      const seconds = them.map(it => it.seconds).toSorted((a, b) => a - b);
      return `${what} ${duration((seconds[Math.floor(seconds.length / 2)] ?? 0) * SECOND)}`;
    })
    .join(', ');
}
