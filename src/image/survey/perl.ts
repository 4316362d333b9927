import { SECOND } from '../../clock.ts';
import { failure } from '../../errors.ts';
import type { Configuration } from '../../gbrowse/configuration.ts';
import { parsed, webUser } from '../../gbrowse/render.ts';
import { lastWords, runCommand } from '../../os/command.ts';
import { PERL_SCRIPT } from './perl-script.ts';

/** What Perl reports about this master's GBrowse. */
export type PerlSurvey = {
  /** GBrowse's version, as its main module has it. */
  readonly version: string;
  /** Where Perl looks for modules. */
  readonly inc: readonly string[];
  /** The files that were loaded. */
  readonly loaded: readonly string[];
  /** Modules that data sources name and this master cannot load. */
  readonly failed: readonly string[];
};

const LOADING = 60 * SECOND;

/**
 * Loads GBrowse and what its data sources name. As root it runs as the web server's user, because modules of the site
 * are program code.
 *
 * @param libraries directories before those where Perl looks by itself
 * @throws {UserError} when GBrowse cannot be loaded
 */
export async function surveyPerl(
  modules: readonly string[],
  libraries: readonly string[],
  signal: AbortSignal,
): Promise<PerlSurvey> {
  const as = process.geteuid?.() === 0 ? await webUser() : undefined;
  const ended = await runCommand(
    ['env', `PERL5LIB=${libraries.join(':')}`, 'perl', '-e', PERL_SCRIPT, ...modules],
    {
      signal,
      timeLimit: LOADING,
      ...(as !== undefined && { rights: { ...as, groups: [] } }),
    },
  );
  const survey = parseSurvey(ended.stdout.trimEnd().split('\n').at(-1) ?? '');
  if (typeof survey !== 'string') return survey;
  const why = survey || lastWords(ended.stderr) || `Perl ended with status ${ended.status}`;
  throw failure(`Perl on this master cannot load GBrowse (Bio::Graphics::Browser2): ${why}`);
}

/** @returns the error where there is no survey; it may be empty */
export function parseSurvey(line: string): PerlSurvey | string {
  const seen = parsed(line);
  if (typeof seen !== 'object' || seen === null) return '';
  const get = (name: string): unknown => Reflect.get(seen, name);
  const list = (name: string) => {
    const value = get(name);
    return Array.isArray(value) ? value.filter(it => typeof it === 'string') : [];
  };
  const [version, error] = [get('version'), get('error')];
  if (typeof version !== 'string') return typeof error === 'string' ? error : '';
  return { version, inc: list('inc'), loaded: list('loaded'), failed: list('failed') };
}

/**
 * The modules that the data sources' options name: adaptors of databases, drivers of DBI, glyphs. (Plugins are in
 * `plugin_path`.)
 */
export function modulesNamedBy(configuration: Configuration): readonly string[] {
  const named = new Set<string>();
  for (const { reading } of configuration.sources) {
    for (const options of reading?.sections.values() ?? []) {
      const value = (option: string) => options.get(option)?.value ?? '';
      const glyph = value('glyph');
      if (/^\w+(::\w+)*$/.test(glyph)) named.add(`Bio::Graphics::Glyph::${glyph}`);
      if (/^\w+(::\w+)*$/.test(value('db_adaptor'))) named.add(value('db_adaptor'));
      const adaptor = /-adaptor\s+['"]?([\w:]+)/.exec(value('db_args'))?.[1];
      if (adaptor !== undefined)
        named.add(`${value('db_adaptor') || 'Bio::DB::SeqFeature::Store'}::${adaptor}`);
      const driver = /\bdbi:(\w+)/i.exec(value('db_args'))?.[1];
      if (driver !== undefined) named.add(`DBD::${driver}`);
    }
  }
  return [...named].toSorted();
}
