import type { Line, Place } from './lines.ts';

/** An option's value and the line that gave it (its first, where it goes on over several). */
export type Setting = Place & { readonly value: string };

/** Options by section (`general` for `[GENERAL]` and `[DEFAULT]`), each by its name in lower case. */
type Sections = ReadonlyMap<string, ReadonlyMap<string, Setting>>;

const SECTION = /^\[(.+)\]/;
const CONTINUATION = /^\s+(.+)/;
const OPTION = /^([\w: -]+)=(.*)/;

/** A configuration, and the first line that GBrowse takes for data. */
export type Parsed = { readonly sections: Sections; readonly data?: Line };

/**
 * The options of a configuration, by the rules of Bio::Graphics::FeatureFile. What it takes for data (features, written
 * below the configuration) is left out, until the next section: a line that begins with `##` and a word, an option before
 * the first section, anything that is no option.
 */
export function parseLines(lines: readonly Line[]): Parsed {
  let data: Line | undefined;
  const sections = new Map<string, Map<string, Setting>>();
  let inData = false;
  let section: string | undefined;
  let option: string | undefined;

  function put(name: string, setting: Setting): void {
    section ??= 'general';
    const options = sections.get(section) ?? new Map<string, Setting>();
    sections.set(section, options.set(name, setting));
  }

  for (const line of lines) {
    const { text, file, number } = line;
    if (/^\s*#[^#]?$/.test(text)) continue;
    const isData: boolean = inData ? !/^\s*\[([^\]]+)\]/.test(text) : beginsData(text, section, option);
    if (isData !== inData) {
      section = undefined;
      option = undefined;
      inData = isData;
    }
    if (isData) {
      data ??= line;
      continue;
    }
    const bare = withoutComment(text);
    const [, more] = CONTINUATION.exec(bare) ?? [];
    const [, label] = SECTION.exec(bare) ?? [];
    const [, name, value = ''] = OPTION.exec(bare) ?? [];
    if (more !== undefined && option !== undefined) {
      const before = sections.get(section ?? 'general')?.get(option);
      const joined = `${before?.value ?? ''} ${more}`;
      put(option, { file, number, ...before, value: /^sub\s*\{/.test(joined) ? `${joined}\n` : joined });
    } else if (label !== undefined) {
      section = /^(general|default)$/i.test(label) ? 'general' : label;
    } else if (name !== undefined) {
      option = name.trimEnd().toLowerCase();
      put(option, { file, number, value: value.trimStart() });
    }
  }
  return { sections, ...(data !== undefined && { data }) };
}

function beginsData(text: string, section: string | undefined, option: string | undefined): boolean {
  if (/^##\w+/.test(text) || /^reference\s*=/.test(text)) return true;
  if (/^\s*$/.test(text) || SECTION.test(text)) return false;
  if (/^[\w:\s]+=/.test(text) && section !== undefined) return false;
  if (CONTINUATION.test(text) && option !== undefined) return false;
  return !text.startsWith('#');
}

/** Colours and HTML keep their "#". */
function withoutComment(text: string): string {
  const kept = /#[0-9a-f]{6,8}$/i.test(text.trimEnd()) || /\w#\w/.test(text) || endsInNumber(text);
  const comment = text.indexOf('#');
  return kept || comment === -1 ? text : text.slice(0, comment).trimEnd();
}

/** Whether a word, perhaps in quotes, and `#` with digits end the line: `"chr1" #5`. */
function endsInNumber(text: string): boolean {
  const hash = text.lastIndexOf('#');
  if (hash === -1 || !/^\d+$/.test(text.slice(hash + 1))) return false;
  const before = text.slice(0, hash).trimEnd();
  let end = before.length;
  while (before[end - 1] === '"') end--;
  return /\w/.test(before[end - 1] ?? '');
}

/** An option of a section; undefined where it is not set. */
export function settingOf(sections: Sections, section: string, option: string): Setting | undefined {
  return sections.get(section)?.get(option);
}
