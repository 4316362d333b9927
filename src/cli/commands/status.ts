import { SECOND } from '../../clock.ts';
import { surviveClosedTerminal } from '../../daemon/signals.ts';
import { failure, isUserError, usageError } from '../../errors.ts';
import { harmless } from '../../format/harmless.ts';
import { wrapped } from '../../format/wrap.ts';
import { type Answer, askBalancer, runningMasters } from '../../status/ask.ts';
import { type Found, findBalancer } from '../../status/find.ts';
import { printReport } from '../../status/print.ts';
import type { Report } from '../../status/report.ts';
import { openScreen, pause } from '../../status/screen.ts';
import { lookOf, paint } from '../../terminal/look.ts';
import type { Given } from '../given.ts';

/** LSB's "program is not running". */
const NOT_RUNNING = 3;
const WATCH_INTERVAL = 2 * SECOND;

/**
 * `gbrowse-aws-balancer status`: shows what the running balancer sees and does.
 *
 * @returns 0 when it answers, 3 when none is running
 * @throws {UserError} when it is not clear which balancer is meant, or it cannot answer
 */
export async function status(given: Given<'status'>): Promise<number> {
  const { conf, json, since } = given;
  if (since !== undefined) {
    if (given.watch) throw usageError('--watch cannot be combined with --since');
    return (await import('./report.ts')).statusSince(given, since);
  }
  const found = await findBalancer(conf, runningMasters);
  if (found.note !== undefined) complain(found.note);
  if (!given.watch) {
    const seen = await reportOf(found);
    if (seen.report === undefined) complain(seen.message);
    else if (json) process.stdout.write(`${JSON.stringify(seen.report, undefined, 2)}\n`);
    else process.stdout.write(`${linesOf(seen.report).join('\n')}\n`);
    return seen.report === undefined ? NOT_RUNNING : 0;
  }
  surviveClosedTerminal();
  return process.stdout.isTTY && !json ? watchOnScreen(found) : watchInPipe(found, json);
}

type Seen = { readonly report: Report } | { readonly report?: undefined; readonly message: string };

/** @throws {UserError} when it runs and cannot answer */
async function reportOf({ master }: Found): Promise<Seen> {
  if (master === undefined) return { message: await notRunning(undefined) };
  const answer = await askBalancer(master);
  if (answer.kind === 'report') return { report: answer.report };
  if (answer.kind === 'not running') return { message: await notRunning(master) };
  throw failure(`the balancer of the master "${master}" runs, but ${excuse(answer)}`);
}

function excuse(answer: Exclude<Answer, { readonly kind: 'report' | 'not running' }>): string {
  switch (answer.kind) {
    case 'starting':
      return 'it is still starting. Its log says what it is waiting for.';
    case 'busy':
      return 'it is busy with other requests. Try again.';
    case 'silent':
      return 'it does not answer: it is an older version. Restart it (service gbrowse-aws-balancer restart; its slaves stay).';
    case 'no answer':
      return 'it does not answer: its process is stopped, or the machine is overloaded. Try again; ps and its log say more.';
    case 'incomprehensible':
      return `its answer is not understood (${answer.why}): it is a different version from this program. Restart it (service gbrowse-aws-balancer restart; its slaves stay).`;
  }
}

async function notRunning(master: string | undefined): Promise<string> {
  const others = (await runningMasters()).filter(it => it !== master);
  const which = master === undefined ? 'on this machine' : `for the master "${master}"`;
  const besides =
    others.length === 0
      ? ''
      : ` Running here: ${others.map(it => `"${it}"`).join(', ')}; --conf with the configuration of such a master shows it.`;
  return `no balancer is running ${which}. Start it with "service gbrowse-aws-balancer start", or see "gbrowse-aws-balancer --help".${besides}`;
}

function complain(message: string): void {
  process.stderr.write(`${message.split('\n').map(harmless).join('\n')}\n`);
}

function linesOf(report: Report): readonly string[] {
  return printReport(report, lookOf(process.stdout, process.env));
}

/** A message instead of a report does not end a watch: the balancer may be restarting. */
async function lookPatiently(found: Found): Promise<Seen> {
  try {
    return await reportOf(found);
  } catch (error) {
    if (isUserError(error)) return { message: error.message };
    throw error;
  }
}

async function watchOnScreen(found: Found): Promise<number> {
  const screen = openScreen(process.stdout, process.stdin.isTTY ? process.stdin : undefined);
  let seen: Seen = { message: '' };
  try {
    while (!screen.left.aborted) {
      const next = await Promise.race([lookPatiently(found), leftOf(screen.left)]);
      if (next === undefined) break;
      seen = next;
      const until = performance.now() + WATCH_INTERVAL;
      do {
        const { width, ...style } = lookOf(process.stdout, process.env);
        screen.draw(
          seen.report === undefined
            ? wrapped(harmless(seen.message), width).map(line => paint({ width, ...style }, 'yellow', line))
            : printReport(seen.report, { width, ...style }),
        );
        await pause(Math.max(0, until - performance.now()), screen.left, screen.resized());
      } while (!screen.left.aborted && performance.now() < until);
    }
  } finally {
    screen.close();
  }
  return seen.report === undefined ? NOT_RUNNING : 0;
}

async function leftOf(left: AbortSignal): Promise<undefined> {
  if (!left.aborted) await new Promise(resolve => left.addEventListener('abort', resolve, { once: true }));
  return undefined;
}

/** Prints blocks, or lines of JSON, until nobody reads the output. */
async function watchInPipe(found: Found, json: boolean): Promise<number> {
  const gone = new AbortController();
  process.stdout.on('error', () => gone.abort('gone'));
  let first = true;
  while (!gone.signal.aborted) {
    const seen = await lookPatiently(found);
    if (seen.report === undefined) complain(seen.message);
    else if (json) process.stdout.write(`${JSON.stringify(seen.report)}\n`);
    else process.stdout.write(`${first ? '' : '\n'}${linesOf(seen.report).join('\n')}\n`);
    first = false;
    await pause(WATCH_INTERVAL, gone.signal);
  }
  return 0;
}
