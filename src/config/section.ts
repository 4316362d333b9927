import { type Document, lineThatCounts, type OptionLine } from './document.ts';
import type { Mistake } from './load-table.ts';
import { nearest } from './nearest.ts';
import { type Option, type OptionsOf, optionsOf, type SectionWithOptions } from './options.ts';
import { quote } from './values.ts';

/**
 * Reads the options of a section. `values` is undefined when there are mistakes; warnings are about options that are
 * unknown or set more than once.
 */
export function readSection<C>(
  document: Document,
  section: SectionWithOptions,
  options: OptionsOf<C>,
): { readonly values?: C; readonly mistakes: readonly Mistake[]; readonly warnings: readonly Mistake[] } {
  const linesOf = Map.groupBy(
    document.lines.filter((line): line is OptionLine => line.kind === 'option' && line.section === section),
    line => line.name,
  );
  const mistakes: Mistake[] = [];
  const assumed: Mistake[] = [];
  const values: [string, unknown][] = [];
  for (const [key, option] of Object.entries<Option<unknown>>(options)) {
    const read = readOption(section, option, lineThatCounts(linesOf.get(option.name) ?? []));
    if ('mistake' in read) mistakes.push(read.mistake);
    else if (read.value !== undefined) values.push([key, read.value]);
    if ('assumed' in read) assumed.push(read.assumed);
  }
  const known = namesIn(section);
  const warnings = [...linesOf].flatMap(([name, lines]) =>
    known.includes(name) ? setAgain(name, lines) : lines.map(line => unknown(section, line)),
  );
  // Every option of the table has been read, so this is a C; the type of Object.fromEntries cannot say so.
  return {
    ...(mistakes.length === 0 && { values: Object.fromEntries(values) as C }),
    mistakes,
    warnings: [...assumed, ...warnings],
  };
}

function readOption(
  section: SectionWithOptions,
  { name, expected, whenUnset, warnsUnset, parse }: Option<unknown>,
  line: OptionLine | undefined,
): { readonly value: unknown; readonly assumed?: Mistake } | { readonly mistake: Mistake } {
  if (line !== undefined && line.value !== '') {
    const value = parse(line.value);
    if (value !== undefined) return { value };
    return {
      mistake: { line: line.number, message: `${name} is ${quote(line.value)}, expected ${expected}` },
    };
  }
  const nothing = unset(section, name, line);
  if (whenUnset === 'required')
    return { mistake: { ...nothing, message: `${nothing.message}, expected ${expected}` } };
  if (!('default' in whenUnset)) return { value: undefined };
  const value = parse(whenUnset.default);
  if (warnsUnset !== true) return { value };
  return {
    value,
    assumed: { ...nothing, message: `${nothing.message}, so it is taken to be ${whenUnset.default}` },
  };
}

function unset(section: SectionWithOptions, name: string, line: OptionLine | undefined): Mistake {
  return line === undefined
    ? { message: `there is no ${name} in [${section}]` }
    : { line: line.number, message: `${name} has no value` };
}

function setAgain(name: string, lines: readonly OptionLine[]): Mistake[] {
  const counts = lineThatCounts(lines)?.number;
  return lines.slice(1).map(line => ({
    line: line.number,
    message: `${name} is set again, the value of line ${counts} counts`,
  }));
}

function unknown(section: SectionWithOptions, { number, name }: OptionLine): Mistake {
  return {
    line: number,
    message: `unknown option ${quote(name)} in [${section}], ${whatItMayBe(section, name)}`,
  };
}

function whatItMayBe(section: SectionWithOptions, name: string): string {
  const here = namesIn(section);
  const other = section === 'MASTER' ? 'SLAVE' : 'MASTER';
  const there = namesIn(other);
  if (there.includes(name)) return `it belongs in [${other}]`;
  const nearHere = nearest(name, here);
  if (nearHere !== undefined) return `did you mean "${nearHere}"?`;
  const nearThere = nearest(name, there);
  if (nearThere !== undefined) return `did you mean "${nearThere}" in [${other}]?`;
  return `expected one of ${here.join(', ')}`;
}

function namesIn(section: SectionWithOptions): readonly string[] {
  return optionsOf(section).map(option => option.name);
}
