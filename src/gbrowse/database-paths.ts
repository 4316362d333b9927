import path from 'node:path';
import type { Configuration, Source } from './configuration.ts';
import { type Setting, settingOf } from './parse.ts';
import { shellwords } from './shellwords.ts';

/** What a data source opens: a file or a directory, or a database server (`mysql`, `Pg`). */
export type DatabaseUse = {
  readonly source: string;
  /** Where `db_args` stands. */
  readonly file: string;
  readonly number: number;
} & ({ readonly path: string } | { readonly server: string });

const DSN = /^dbi:(\w+)(?:\([^)]*\))?:(.*)$/i;

/**
 * The databases in the data sources' `db_args`, after GBrowse's own substitutions (`$DB`, `$CONF`, `$HTDOCS`). Only
 * paths and kinds of servers are returned, because other arguments may be passwords.
 */
export function databaseUses(configuration: Configuration): readonly DatabaseUse[] {
  return configuration.sources.flatMap(source =>
    argumentsOf(source).flatMap(setting => {
      const { file, number } = setting;
      const words = shellwords(setting.value).map(word => substituted(word, configuration));
      return words.flatMap(word => usesOf(word).map(use => ({ source: source.name, file, number, ...use })));
    }),
  );
}

function argumentsOf({ reading }: Source): readonly Setting[] {
  return [...(reading?.sections.values() ?? [])].flatMap(options => options.get('db_args') ?? []);
}

function substituted(word: string, { file, globals }: Configuration): string {
  const general = (option: string) => settingOf(globals.sections, 'general', option)?.value;
  const values: Readonly<Record<string, string | undefined>> = {
    DB: general('db_base'),
    CONF: general('config_base') ?? path.dirname(file),
    HTDOCS: general('htdocs_base'),
  };
  return word.replaceAll(/\$(DB|CONF|HTDOCS)\b/g, (whole, name: string) => values[name] ?? whole);
}

/** Any argument may be a path: adaptors differ in what they call it (`-dir`, `-dsn`, `-bam`, `-fasta`, `-bigwig`). */
function usesOf(word: string): readonly ({ readonly path: string } | { readonly server: string })[] {
  const [, driver, rest = ''] = DSN.exec(word) ?? [];
  if (driver === undefined) return word.startsWith('/') ? [{ path: path.normalize(word) }] : [];
  if (!/^sqlite$/i.test(driver)) return [{ server: driver }];
  const target = rest.replace(/^.*\b(?:dbname|database|db)=/i, '').split(';', 1)[0] ?? '';
  return target.startsWith('/') ? [{ path: path.normalize(target) }] : [];
}

/** The directory of GBrowse's databases: `db_base`; undefined where that is not set, or not absolute. */
export function databaseDirectory({ globals }: Configuration): string | undefined {
  const base = settingOf(globals.sections, 'general', 'db_base')?.value;
  return base !== undefined && path.isAbsolute(base) ? path.resolve(base) : undefined;
}
