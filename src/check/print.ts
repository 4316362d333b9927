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

export type PrintOptions = Look & {
  /** The command that starts the balancer; unset when only a part was looked at. */
  readonly start?: string;
};

/** The report for people: a verdict, a topic and a sentence each, and below what mends it. */
export function reportAsText(report: Report, look: PrintOptions): string {
  const { width, start } = look;
  const topicWidth = Math.max(...report.findings.map(({ topic }) => topic.length)) + 2;
  const indent = VERDICT_WIDTH + topicWidth;
  const room = Math.max(30, Math.min(width, WIDEST) - indent);
  const lines: string[] = [];
  let last: string | undefined;
  for (const finding of report.findings) {
    const { verdict, topic, message, mend } = finding;
    const [first = '', ...more] = wrap(message, room);
    const painted = paint(look, COLOURS[verdict], verdict);
    const name = topic === last ? '' : topic;
    lines.push(
      `${painted}${' '.repeat(VERDICT_WIDTH - verdict.length)}${name.padEnd(topicWidth)}${first}`.trimEnd(),
      ...[...more, ...(mend === undefined ? [] : wrap(mend, room))].map(line =>
        `${' '.repeat(indent)}${line}`.trimEnd(),
      ),
    );
    last = topic;
  }
  return `${lines.join('\n')}\n\n${closing(report.findings, start)}\n`;
}

/** Lines of at most `room` columns. A line that begins with four spaces is to be copied, and stays whole. */
function wrap(text: string, room: number): readonly string[] {
  return text.split('\n').flatMap(line => (line.startsWith('    ') ? [line] : wrapped(line, room, 'keep')));
}

function closing(findings: readonly CheckedFinding[], start: string | undefined): string {
  const count = (verdict: Verdict) => findings.filter(it => it.verdict === verdict).length;
  const some = (number: number, word: string) => `${number} ${word}${number === 1 ? '' : 's'}`;
  const [problems, warnings] = [count('problem'), count('warning')];
  if (problems > 0)
    return `${some(problems, 'problem')}, ${some(warnings, 'warning')}. Mend the problems, then check again.`;
  const rest = warnings > 0 ? `No problem, ${some(warnings, 'warning')}.` : 'All is in place.';
  return start === undefined ? rest : `${rest} To start: ${start}`;
}

/** The report for programs; the manual page describes it. */
export function reportAsJson(report: Report, version: string, checkedAt: Date): string {
  return `${JSON.stringify({ version, checkedAt: checkedAt.toISOString(), ...report }, undefined, 2)}\n`;
}
