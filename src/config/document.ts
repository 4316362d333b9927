/**
 * The configuration file as its owner wrote it. The grammar is the original's: `[SECTION]` at the start of a line, in
 * any case; `name = value`; `#` at the start of a line or after white space begins a comment. Every byte is kept, so
 * one value can be changed and nothing else.
 */
export type Document = { readonly lines: readonly Line[] };

/** One line. `raw` is all of it, with its line end (LF, CRLF or CR) and, on the first line, a byte order mark. */
export type Line = {
  /** From 1. */
  readonly number: number;
  readonly raw: string;
  /** The section that it stands in, in upper case (a heading in its own); undefined above the first heading. */
  readonly section: string | undefined;
} & Content;

export type OptionLine = Extract<Line, { readonly kind: 'option' }>;

/** What a line says once the comment is off: in `[LOAD TABLE]` there are no options, so its rows are `text`. */
type Content =
  | { readonly kind: 'nothing' }
  | {
      readonly kind: 'heading';
      /** Starts the line and has its closing bracket. */
      readonly wellFormed: boolean;
      /** What follows the closing bracket. */
      readonly rest: string;
    }
  | { readonly kind: 'option'; readonly name: string; readonly value: string }
  | { readonly kind: 'text'; readonly text: string };

export const LOAD_TABLE = 'LOAD TABLE';

/** Reads any text; lines that make no sense are kept as `text`. */
export function parseDocument(text: string): Document {
  const lines: Line[] = [];
  let section: string | undefined;
  for (const raw of text.split(/(?<=\n)|(?<=\r)(?!\n)/)) {
    const number = lines.length + 1;
    const body = bodyOf(number === 1 ? raw.replace(/^\uFEFF/, '') : raw);
    const heading = /^(\s*)\[([^\]]*)(\]?)(.*)$/s.exec(body);
    if (heading !== null) {
      const [, indent = '', title = '', closing = '', rest = ''] = heading;
      section = sectionName(title);
      const wellFormed = indent === '' && closing !== '';
      lines.push({ number, raw, section, kind: 'heading', wellFormed, rest: rest.trim() });
    } else {
      lines.push({ number, raw, section, ...contentOf(body, raw, section) });
    }
  }
  return { lines };
}

/** The exact inverse of `parseDocument`. */
export function formatDocument(document: Document): string {
  return document.lines.map(line => line.raw).join('');
}

/**
 * The line whose value counts: the last one with a value (a blank one sets nothing, as in the original), else the last.
 * Undefined when the section does not have the option.
 */
export function findOption(document: Document, section: string, option: string): OptionLine | undefined {
  return lineThatCounts(optionLines(document, section, option));
}

/** The line whose value counts, of those that set one option. */
export function lineThatCounts(lines: readonly OptionLine[]): OptionLine | undefined {
  return lines.findLast(line => line.value !== '') ?? lines.at(-1);
}

/**
 * Gives an option a value (`''` unsets it). Every other byte stays: the spacing, the comment (in its column, where the
 * value leaves room) and the line end. An option that is not there is added at the end of its section, and the section
 * at the end of the file.
 *
 * @throws {Error} when a file of this grammar cannot hold the value (a bug of the caller)
 */
export function setOption(document: Document, section: string, option: string, value: string): Document {
  if (value !== value.trim() || /[\r\n]|(?<!\S)#/.test(value)) {
    throw new Error(`not a value that the file can hold: ${JSON.stringify(value)}`);
  }
  const name = sectionName(section);
  if (name === LOAD_TABLE) throw new Error(`[${LOAD_TABLE}] has rows, not options`);
  const present = optionLines(document, name, option);
  if (present.length === 0) return addOption(document, name, option, value);
  const changed = value === '' ? present : [lineThatCounts(present)];
  return parseDocument(
    document.lines
      .map(line => (changed.some(one => one === line) ? rawWithValue(line.raw, value) : line.raw))
      .join(''),
  );
}

/** The position of a line's comment; the length of the line when it has none. */
export function commentStart(text: string): number {
  const at = text.search(/(?<!\S)#/);
  return at < 0 ? text.length : at;
}

function optionLines(document: Document, section: string, option: string): OptionLine[] {
  const name = sectionName(section);
  return document.lines.filter(
    (line): line is OptionLine => line.kind === 'option' && line.section === name && line.name === option,
  );
}

function sectionName(title: string): string {
  return title.trim().replace(/\s+/g, ' ').toUpperCase();
}

function bodyOf(line: string): string {
  return line.slice(0, commentStart(line)).trimEnd();
}

function contentOf(body: string, raw: string, section: string | undefined): Content {
  if (body.trim() === '') return { kind: 'nothing' };
  const parts = section === LOAD_TABLE ? undefined : optionParts(raw);
  return parts === undefined
    ? { kind: 'text', text: body.trim() }
    : { kind: 'option', name: parts.name, value: parts.value };
}

/** An option's line in pieces: joined, head, lead, value, pad and tail give the line. */
type OptionParts = {
  readonly name: string;
  /** All up to the `=`. */
  readonly head: string;
  readonly lead: string;
  readonly value: string;
  readonly pad: string;
  /** The comment and the line end. */
  readonly tail: string;
};

function optionParts(raw: string): OptionParts | undefined {
  const lineEnd = lineEndOf(raw);
  const text = raw.slice(0, raw.length - lineEnd.length);
  const body = text.slice(0, commentStart(text));
  const equals = body.indexOf('=');
  const name = body.slice(0, Math.max(equals, 0)).trim();
  if (name === '' || /\s/.test(name)) return undefined;
  const after = body.slice(equals + 1);
  const value = after.trim();
  const lead = value === '' ? after.slice(0, 1) : after.slice(0, after.length - after.trimStart().length);
  return {
    name,
    head: text.slice(0, equals + 1),
    lead,
    value,
    pad: after.slice(lead.length + value.length),
    tail: raw.slice(body.length),
  };
}

function rawWithValue(raw: string, value: string): string {
  const parts = optionParts(raw);
  if (parts === undefined) throw new Error('not the line of an option');
  const { head, tail } = parts;
  const isSpaced = parts.value === '' && value !== '' && /\s=$/.test(head);
  const lead = parts.lead === '' && isSpaced ? ' ' : parts.lead;
  const pad = tail.startsWith('#') ? padBeforeComment(parts, lead, value) : parts.pad;
  return head + lead + value + pad + tail;
}

/** Keeps the comment's column if it is made of spaces; a tab keeps its own. */
function padBeforeComment(parts: OptionParts, lead: string, value: string): string {
  if (/[^ ]/.test(parts.pad)) return parts.pad;
  const least = value === '' && lead !== '' ? 0 : 1;
  const room = parts.lead.length + parts.value.length + parts.pad.length - lead.length - value.length;
  return ' '.repeat(Math.max(least, room));
}

function addOption(document: Document, section: string, option: string, value: string): Document {
  const { lines } = document;
  const raws = lines.map(line => line.raw);
  const lineEnd = lines.map(line => lineEndOf(line.raw)).find(end => end !== '') ?? '\n';
  const last = lines.findLast(line => line.section === section && line.kind !== 'nothing');
  const at = last?.number ?? raws.length;
  const added: string[] = [];
  if (last === undefined) {
    const startsApart = (lines.at(-1)?.raw ?? '').trim() === '';
    added.push(...(startsApart ? [] : ['']), `[${section}]`);
  }
  added.push(`${option.padEnd(nameWidth(lines, section))} = ${value}`);

  const before = raws[at - 1];
  const endsFile = before !== undefined && before !== '' && lineEndOf(before) === '';
  if (endsFile) raws[at - 1] = before + lineEnd;
  raws.splice(at, 0, added.join(lineEnd) + (endsFile ? '' : lineEnd));
  return parseDocument(raws.join(''));
}

/** The width of the names of a section, by its last option. */
function nameWidth(lines: readonly Line[], section: string): number {
  const neighbour = lines.findLast(line => line.kind === 'option' && line.section === section);
  return neighbour === undefined ? 0 : neighbour.raw.replace(/^\uFEFF/, '').indexOf('=') - 1;
}

function lineEndOf(raw: string): string {
  if (raw.endsWith('\r\n')) return '\r\n';
  return /[\r\n]$/.test(raw) ? raw.slice(-1) : '';
}
