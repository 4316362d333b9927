import {
  type Document,
  findOption,
  formatDocument,
  LOAD_TABLE,
  parseDocument,
  setOption,
} from '../config/document.ts';
import { parseLoadTable } from '../config/load-table.ts';
import { optionsOf, type SectionWithOptions } from '../config/options.ts';

/** The values of the configuration file that came with the Perl original: nobody has chosen them. */
const DISTRIBUTED: Readonly<Record<string, string>> = {
  poll_interval: '0.5',
  server_status_url: 'http://localhost/server-status',
  instance_type: 'm1.large',
  spot_bid: '0.10',
  ports: '8101',
  image_id: 'GBrowse-2.54',
};
const DISTRIBUTED_REGION = 'us-west-2';
const DISTRIBUTED_TABLE = '0.1 0 1|0.5 0 2|1.0 1 3|2.0 2 4|5.0 3 6|6.0 4 6|7.0 5 7|10.0 6 8|15.0 8 8'.split(
  '|',
);

/** Families that AWS calls "previous generation", and that have no Nitro successor of the same name. */
const PREVIOUS_GENERATION =
  /^(m1|m2|m3|m4|c1|c3|c4|cc1|cc2|cg1|cr1|t1|t2|hi1|hs1|g2|g3|i2|d2|r3|r4|x1|x1e|p2|h1)\./;

/** Debian's file has a different type. */
function isDistributedValue(name: string, value: string): boolean {
  return value === DISTRIBUTED[name] || (name === 'instance_type' && value === 'm1.medium');
}

/** Whether AWS offers a type to old accounts only. */
export function isPreviousGeneration(type: string): boolean {
  return PREVIOUS_GENERATION.test(type);
}

/** Whether an `image_id` is the public image of 2012, which is gone. */
export function isOldImage(name: string): boolean {
  return name === DISTRIBUTED.image_id;
}

/** Whether a configuration is the one that came with the Perl original, unedited. */
export function isDistributed(text: string): boolean {
  const { taken, left } = takeOver(text, text);
  return taken.length === 0 && left.length === 0;
}

/** A configuration with the settings of the Perl original in it. */
export type TakenOver = {
  readonly text: string;
  /** The options that were taken over; `[LOAD TABLE]` for the table. */
  readonly taken: readonly string[];
  /** Those that were not, each with the reason, in a sentence. */
  readonly left: readonly string[];
};

/**
 * Finds what an administrator has changed in a configuration of the Perl original, compared with the distributed file,
 * and what still has a meaning.
 *
 * @param base the text to put them into; every other byte of it stays
 */
export function takeOver(original: string, base: string): TakenOver {
  const from = parseDocument(original);
  const taken: string[] = [];
  const left: string[] = [];
  let document = parseDocument(base);
  for (const section of ['MASTER', 'SLAVE'] as const) {
    for (const { name, value } of decisionsOf(from, section)) {
      const reason = refusal(section, name, value);
      if (reason !== undefined) {
        left.push(`${name} = ${value}: ${reason}`);
        continue;
      }
      document = setOption(document, section, name, value);
      taken.push(name);
    }
  }
  const region = findOption(from, 'SLAVE', 'region')?.value ?? '';
  // If nothing else was changed, the region of the distributed file is not a choice either.
  if (region !== '' && (region !== DISTRIBUTED_REGION || taken.length > 0)) {
    document = setOption(document, 'SLAVE', 'region', region);
    taken.push('region');
  }
  const rows = rowsOf(from);
  if (rows.length > 0 && rows.join('|') !== DISTRIBUTED_TABLE.join('|')) {
    const { mistakes } = parseLoadTable(rows.map((text, line) => ({ line, text })));
    if (mistakes.length > 0) left.push(`the load table: ${mistakes[0]?.message}`);
    else {
      document = withRows(document, rows);
      taken.unshift(`[${LOAD_TABLE}]`);
    }
  }
  return { text: formatDocument(document), taken, left };
}

function decisionsOf(
  document: Document,
  section: SectionWithOptions,
): readonly { readonly name: string; readonly value: string }[] {
  return optionsOf(section).flatMap(({ name }) => {
    const value = findOption(document, section, name)?.value ?? '';
    return value === '' || isDistributedValue(name, value) || name === 'region' ? [] : [{ name, value }];
  });
}

/** Why a value is not taken over. */
function refusal(section: SectionWithOptions, name: string, value: string): string | undefined {
  const option = optionsOf(section).find(it => it.name === name);
  if (option?.parse(value) === undefined) return `expected ${option?.expected}`;
  if (name === 'instance_type' && value.split(/\s+/).some(isPreviousGeneration))
    return 'a type of a previous generation, which AWS does not offer to new accounts';
  return undefined;
}

function rowsOf(document: Document): readonly string[] {
  return document.lines.flatMap(line =>
    line.kind === 'text' && line.section === LOAD_TABLE ? [line.text.replaceAll(/\s+/g, ' ')] : [],
  );
}

/** The document with other rows in place of its own, in the columns of the distributed file. */
function withRows(document: Document, rows: readonly string[]): Document {
  const text = rows.map(row =>
    row
      .split(' ')
      .map((cell, at) => cell.padEnd([8, 4, 0][at] ?? 0))
      .join('')
      .trimEnd(),
  );
  const isRow = (line: Document['lines'][number]) => line.kind === 'text' && line.section === LOAD_TABLE;
  const first = document.lines.find(isRow);
  if (first === undefined) return document;
  const raws = document.lines.flatMap(line =>
    line === first ? [`${text.join('\n')}\n`] : isRow(line) ? [] : [line.raw],
  );
  return parseDocument(raws.join(''));
}
