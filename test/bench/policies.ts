/**
 * Prints the table of the README: what the farms of several policies cost beside the best possible, and how many
 * requests met too few slaves. Arguments: files of requests per second (`--rates` of simulate), or access logs whose
 * names end in `.log` or `.log.gz`; the built-in traces come first.
 */
import path from 'node:path';
import { parseConfig } from '../../src/config/load.ts';
import { share } from '../../src/format/numbers.ts';
import { createRequestFilter } from '../../src/load/log/counts.ts';
import { BUILT_INS, builtInTrace, isBuiltIn } from '../../src/simulate/built-in.ts';
import { constantMarket } from '../../src/simulate/market.ts';
import { EXAMPLE } from '../../src/simulate/options.ts';
import { createRandom } from '../../src/simulate/random.ts';
import { readLogs } from '../../src/simulate/read-logs.ts';
import { readRates } from '../../src/simulate/read-rates.ts';
import { simulate } from '../../src/simulate/simulate.ts';
import type { Trace } from '../../src/simulate/trace.ts';

/** Dollars an hour, below the example's bid. */
const PRICE = 0.05;
const BOOT_TIMES = [90_000, 180_000];
const COLUMNS = ['original', 'fixed', 'balancer', 'auto', 'best'] as const;

const { config } = parseConfig('the example', EXAMPLE);
if (config === undefined) throw new Error('the example is wrong');

async function traceOf(file: string): Promise<Trace> {
  const read = /\.log(\.gz)?$/.test(file)
    ? await readLogs([file], createRequestFilter('/server-status'))
    : await readRates(file);
  return { ...read.trace, name: path.basename(file).replace(/(\.txt|\.log)?(\.gz)?$/, '') };
}

const traces: Trace[] = [
  ...BUILT_INS.filter(isBuiltIn).map(name => ({ ...builtInTrace(name, '1'), name })),
  ...(await Promise.all(process.argv.slice(2).map(traceOf))),
];
const print = (text: string) => process.stdout.write(`${text}\n`);
print('| trace | boot | original | fixed | `never` | `auto` | best |');
print('|---|---|---|---|---|---|---|');
for (const trace of traces) {
  for (const bootTime of BOOT_TIMES) {
    const { policies, requests, days } = simulate({
      trace,
      own: { name: 'the example', settings: config },
      world: { market: constantMarket(PRICE), bootTime, interruptions: 0, random: createRandom('policies') },
      suggest: false,
    });
    const cells = COLUMNS.map(id => {
      const policy = policies.find(it => it.id === id);
      if (policy === undefined) return '–';
      const { outcome, timesBest, tooFewKnown } = policy;
      if (id === 'best') return `${(outcome.cost / PRICE / days).toFixed(1)} slave-hours a day`;
      const perDay = outcome.launches / days;
      return `${timesBest?.toFixed(2) ?? '–'} @ ${share(outcome.tooFew, requests)} (${share(tooFewKnown, requests)}), ${perDay.toFixed(1)}`;
    });
    print(`| ${trace.name} | ${bootTime / 1000} s | ${cells.join(' | ')} |`);
  }
}
