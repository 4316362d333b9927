import { wrapped } from '../format/wrap.ts';
import { type Colour, type Look, paint } from '../terminal/look.ts';
import type { CheckedFinding, Report } from './check.ts';
import type { Verdict } from './finding.ts';

const COLOURS: Readonly<Record<Verdict, Colour>> = {
  ok: 'green',
  warning: 'yellow',
  problem: 'red',
  skipped: 'dim',
};
const VERDICT_WIDTH = 9;
/** Wider lines are hard to read. */
const WIDEST = 100;

/** In a narrower terminal the sentences are below verdict and topic, not beside them. */
const TWO_COLUMNS = 64;

type PrintOptions = Look & {
  /** How to start the balancer, a sentence; unset when only a part was checked, or when it is running. */
  readonly start?: string;
};

/** The report for people: a verdict, a topic and a sentence each, and below how to fix it. */
export function reportAsText(report: Report, look: PrintOptions): string {
  const width = Math.min(look.width, WIDEST);
  const topicWidth = Math.max(...report.findings.map(({ topic }) => topic.length)) + 2;
  const isBeside = width >= TWO_COLUMNS;
  const indent = isBeside ? VERDICT_WIDTH + topicWidth : 2;
  const lines: string[] = [];
  let last: string | undefined;
  for (const { verdict, topic, message, fix } of report.findings) {
    const name = topic === last && isBeside ? '' : topic;
    const head = `${paint(look, COLOURS[verdict], verdict)}${' '.repeat(VERDICT_WIDTH - verdict.length)}${name.padEnd(topicWidth)}`;
    const text = [message, ...(fix === undefined ? [] : [fix])].flatMap(it => wrap(it, width - indent));
    const body = text.map(line => `${' '.repeat(indent)}${line}`);
    if (isBeside) lines.push(`${head}${body.shift()?.slice(indent) ?? ''}`, ...body);
    else lines.push(head, ...body);
    last = topic;
  }
  const end = wrapped(closing(report.findings, look.start), width, 'keep');
  return `${[...lines, '', ...end].map(line => line.trimEnd()).join('\n')}\n`;
}

/** Lines of at most `room` columns. A line that begins with four spaces is for copying, and stays whole. */
function wrap(text: string, room: number): readonly string[] {
  return text.split('\n').flatMap(line => (line.startsWith('    ') ? [line] : wrapped(line, room, 'keep')));
}

function closing(findings: readonly CheckedFinding[], start: string | undefined): string {
  const count = (verdict: Verdict) => findings.filter(it => it.verdict === verdict).length;
  const some = (number: number, word: string) => `${number} ${word}${number === 1 ? '' : 's'}`;
  const [problems, warnings, unchecked] = [count('problem'), count('warning'), count('skipped')];
  const parts = [
    problems === 0 ? 'No problem' : some(problems, 'problem'),
    ...(problems > 0 || warnings > 0 ? [some(warnings, 'warning')] : []),
    ...(unchecked > 0 ? [`${unchecked} not checked`] : []),
  ];
  if (problems > 0) return `${parts.join(', ')}. Fix the problems, then run check again.`;
  const rest = parts.length === 1 ? 'Everything is in place.' : `${parts.join(', ')}.`;
  return start === undefined ? rest : `${rest} ${start}`;
}

/** The report for programs; the manual page describes it. */
export function reportAsJson(report: Report, version: string, checkedAt: Date): string {
  return `${JSON.stringify({ version, checkedAt: checkedAt.toISOString(), ...report }, undefined, 2)}\n`;
}
