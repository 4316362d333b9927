import { wrapped } from '../format/wrap.ts';
import { type Look, paint } from '../terminal/look.ts';
import { COMMANDS, type CommandName } from './commands.ts';
import type { DescribedCommand, DescribedOption } from './declaration.ts';
import { OPTION_GROUPS } from './options.ts';
import { VERSION } from './version.ts';

// citty's own renderUsage knows neither a terminal's width nor groups of options.

const PROGRAM = 'gbrowse-aws-balancer';
const PURPOSE = "offloads GBrowse's track rendering to a farm of EC2 spot instances";
const NARROWEST = 40;
const WIDEST = 200;
/** In a narrower terminal a description is below its option, not beside it. */
const TWO_COLUMNS = 60;
/** A longer option has its description below it. */
const LEFT_COLUMN = 24;

/** `--help` of a command; without one, of the whole program. */
export function helpText(name: CommandName | undefined, look: Look): string {
  const width = Math.min(Math.max(look.width, NARROWEST), WIDEST);
  const command: DescribedCommand = COMMANDS.find(it => it.name === name) ?? COMMANDS[0];
  const title = (text: string) => paint(look, 'bold', text);
  const paragraph = (text: string) => wrapped(text, width, 'keep');
  const rows = (all: readonly Row[]) => {
    const column = Math.min(Math.max(...all.map(([left]) => left.length)), LEFT_COLUMN);
    return all.flatMap(row => rowLines(row, column, { ...look, width }));
  };
  const commands: readonly DescribedCommand[] = COMMANDS;

  const head = name === undefined ? `${PROGRAM} ${VERSION} ${PURPOSE}.` : `${command.description}.`;
  const usage =
    name === undefined
      ? '[COMMAND] [OPTIONS]'
      : `${name} [OPTIONS]${command.words ? ` ${command.usage ?? '[FILE...]'}` : ''}`;
  const lines = [
    ...paragraph(head),
    '',
    title('Usage'),
    ...indented(wrapped(`${PROGRAM} ${usage}`, width - 2, 'keep')),
    '',
  ];
  if (name === undefined) {
    lines.push(title('Commands'), ...rows(commands.map(it => [it.name, it.description])), '');
  }
  if (name === undefined) {
    lines.push(...paragraph(`Without a command, the program does "${command.name}". Its options:`), '');
  }
  for (const group of OPTION_GROUPS) {
    const options: readonly DescribedOption[] = group.options;
    const own = options.filter(option => option.commands?.includes(command.name) ?? true);
    if (own.length === 0) continue;
    lines.push(title(group.title));
    lines.push(...rows(own.map(rowOf)), '');
  }
  lines.push(title(name === undefined ? 'Examples' : 'Example'));
  for (const { example } of name === undefined ? commands : [command]) {
    lines.push(...indented(wrapped(`${example.meaning}:`, width - 2, 'keep')));
    lines.push(...indented(continued(`${PROGRAM} ${example.words}`, width - 4), 4));
  }
  if (name === undefined) {
    lines.push('', ...paragraph(`"${PROGRAM} COMMAND --help" shows the options of a command.`));
  }
  return `${lines.join('\n')}\n`;
}

type Row = readonly [left: string, right: string];

function rowOf({ name, value, description, default: preset }: DescribedOption): Row {
  return [
    `--${name}${value === undefined ? '' : ` ${value}`}`,
    preset === undefined ? description : `${description} (default: ${preset})`,
  ];
}

function rowLines([left, right]: Row, column: number, look: Look): readonly string[] {
  const isBeside = look.width >= TWO_COLUMNS && left.length <= column;
  const margin = look.width >= TWO_COLUMNS ? column + 4 : 6;
  const text = indented(wrapped(right, look.width - margin, 'keep'), margin);
  const painted = paint(look, 'cyan', left);
  if (!isBeside) return [`  ${painted}`, ...text];
  const [first = '', ...more] = text;
  return [`  ${painted}${first.slice(2 + left.length)}`, ...more];
}

/** A command on several lines, as a shell reads it. */
function continued(command: string, width: number): readonly string[] {
  // An option and its value stay together.
  const words = command.replaceAll(/(?<![\w-])(--[\w-]+) (?!-)/g, '$1\u00a0');
  const lines = wrapped(words, width - 4, 'keep').map(line => line.replaceAll('\u00a0', ' '));
  return lines.map((line, at) => `${at === 0 ? '' : '  '}${line}${at < lines.length - 1 ? ' \\' : ''}`);
}

function indented(lines: readonly string[], columns = 2): readonly string[] {
  return lines.map(line => `${' '.repeat(columns)}${line}`);
}
