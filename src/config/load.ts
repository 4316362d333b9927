import { usageError } from '../errors.ts';
import type { Config } from './config.ts';
import { type Document, LOAD_TABLE, parseDocument } from './document.ts';
import { type Mistake, parseLoadTable } from './load-table.ts';
import { nearest } from './nearest.ts';
import { OPTIONS } from './options.ts';
import { readConfigFile } from './read.ts';
import { readSection } from './section.ts';
import { quote } from './values.ts';

const SECTIONS: readonly string[] = [LOAD_TABLE, ...Object.keys(OPTIONS)];
const HEADINGS = SECTIONS.map(name => `[${name}]`).join(', ');

/** Most messages shown: a file that is no configuration at all would give one for every line. */
const MOST_MESSAGES = 100;

/**
 * What a configuration file says. `problems` and `warnings` are `FILE:LINE: what is wrong, expected what` (`FILE: …`
 * where something is missing altogether), in the order of the file; `config` is present if there is no problem.
 */
export function parseConfig(
  file: string,
  text: string,
): { readonly config?: Config; readonly problems: readonly string[]; readonly warnings: readonly string[] } {
  const document = parseDocument(text);
  const loadTable = readLoadTable(document);
  const master = readSection(document, 'MASTER', OPTIONS.MASTER);
  const slave = readSection(document, 'SLAVE', OPTIONS.SLAVE);
  const missing = SECTIONS.filter(name => !document.lines.some(line => line.section === name));
  const problems = [
    ...linesWithoutSense(document),
    ...missing.map(name => missingSection(document, name)),
    ...(missing.includes(LOAD_TABLE) ? [] : loadTable.mistakes),
    ...(missing.includes('MASTER') ? [] : master.mistakes),
    ...(missing.includes('SLAVE') ? [] : slave.mistakes),
  ];
  const reported = problems.map(({ line }) => line);
  const odd = oddHeadings(document).filter(({ line }) => !reported.includes(line));
  const warnings = [...odd, ...master.warnings, ...slave.warnings];
  if (problems.length > 0 || master.values === undefined || slave.values === undefined) {
    return { problems: messages(file, problems), warnings: messages(file, warnings) };
  }
  return {
    config: { file, loadTable: loadTable.table, master: master.values, slave: slave.values },
    problems: [],
    warnings: messages(file, warnings),
  };
}

/**
 * Reads and checks a configuration file.
 *
 * @throws {UserError} (status 2) listing every mistake in the file on its own line, or saying why it cannot be read
 */
export async function loadConfig(
  file: string,
): Promise<{ readonly config: Config; readonly warnings: readonly string[] }> {
  const { text } = await readConfigFile(file);
  const { config, problems, warnings } = parseConfig(file, text);
  if (config === undefined) throw usageError(atMost(MOST_MESSAGES, file, problems).join('\n'));
  return { config, warnings: atMost(MOST_MESSAGES, file, warnings) };
}

function readLoadTable(document: Document): ReturnType<typeof parseLoadTable> {
  return parseLoadTable(
    document.lines.flatMap(line =>
      line.kind === 'text' && line.section === LOAD_TABLE ? [{ line: line.number, text: line.text }] : [],
    ),
  );
}

/** Lines that do not follow the grammar. They are not quoted, because they may contain a pasted secret. */
function linesWithoutSense(document: Document): Mistake[] {
  const mistakes: Mistake[] = [];
  const first = document.lines.find(line => line.kind !== 'nothing');
  if (first !== undefined && first.section === undefined) {
    mistakes.push({
      line: first.number,
      message: `a line above the first section, expected ${HEADINGS} before it`,
    });
  }
  for (const line of document.lines) {
    if (line.kind === 'heading' && !line.wellFormed) {
      mistakes.push({
        line: line.number,
        message: 'not a section, expected [NAME] at the start of the line',
      });
    }
    if (line.kind === 'text' && (line.section === 'MASTER' || line.section === 'SLAVE')) {
      mistakes.push({ line: line.number, message: 'not an option, expected NAME = VALUE or a # comment' });
    }
  }
  return mistakes;
}

/** A section that is missing; where its heading is only misspelt, the message names that line. */
function missingSection(document: Document, name: string): Mistake {
  const misspelt = document.lines.find(
    ({ kind, section = '' }) =>
      kind === 'heading' && !SECTIONS.includes(section) && nearest(section, SECTIONS) === name,
  );
  if (misspelt === undefined) return { message: `there is no section [${name}], expected ${HEADINGS}` };
  return {
    line: misspelt.number,
    message: `unknown section ${quote(misspelt.section ?? '')}, and there is no section [${name}]: did you mean [${name}]?`,
  };
}

function oddHeadings(document: Document): Mistake[] {
  const warnings: Mistake[] = [];
  for (const line of document.lines) {
    if (line.kind !== 'heading' || !line.wellFormed) continue;
    const { number, section = '', rest } = line;
    if (!SECTIONS.includes(section)) {
      const meant = nearest(section, SECTIONS);
      const hint = meant === undefined ? `expected ${HEADINGS}` : `did you mean [${meant}]?`;
      warnings.push({
        line: number,
        message: `unknown section ${quote(section)}, all of it is ignored, ${hint}`,
      });
    } else if (rest !== '') {
      warnings.push({
        line: number,
        message: `the text after [${section}] is ignored, expected a line of its own`,
      });
    }
  }
  return warnings;
}

function messages(file: string, mistakes: readonly Mistake[]): string[] {
  const byLine = mistakes.toSorted(
    (a, b) => (a.line ?? Number.POSITIVE_INFINITY) - (b.line ?? Number.POSITIVE_INFINITY) || 0,
  );
  return byLine.map(({ line, message }) => `${file}:${line === undefined ? '' : `${line}:`} ${message}`);
}

function atMost(most: number, file: string, all: readonly string[]): readonly string[] {
  return all.length <= most ? all : [...all.slice(0, most), `${file}: and ${all.length - most} more`];
}
