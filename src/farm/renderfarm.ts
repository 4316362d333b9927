/**
 * `renderfarm.conf`, as text. GBrowse reads it with Bio::Graphics::FeatureFile, whose rules this follows (its
 * `parse_line`, `_state_transition` and `parse_config_line`), so that what is written here is what GBrowse uses. Text is
 * one character per byte: the file may be in any encoding.
 */

const RENDERFARM = 'renderfarm';
const REMOTE_RENDERER = 'remote renderer';

/** What one line is to GBrowse. */
type Line = {
  /** The line as it is in the file, with its line end. */
  readonly raw: string;
  readonly kind: 'header' | 'setting' | 'continuation' | 'other';
  /** Whether it is in `[GENERAL]`. */
  readonly general: boolean;
  /** Of a setting and of its continuation: the name in lower case, and this line's part of the value. */
  readonly tag?: string;
  readonly value?: string;
};

// Perl's \s on bytes, which matches less than JavaScript's.
const BLANK = '[ \\t\\r\\n\\f\\v]';
const DIRECTIVE = new RegExp(`^#(include|exec)${BLANK}+.`, 'i');
const BARE_COMMENT = new RegExp(`^${BLANK}*#[^#]?$`);
const CONTINUATION = new RegExp(`^${BLANK}+(.+)`);
const INDENTED = new RegExp(`^${BLANK}+[^ \\t\\r\\n\\f\\v]`);
const HEADER = /^\[(.+)\]/;
const SETTING = new RegExp(`^([\\w: -](?:[\\w:-]|${BLANK})*)=${BLANK}*(.*)`);
const NAME = /^[\w: -]+$/;
const LEAVES_DATA = new RegExp(`^${BLANK}*\\[[^\\]]+\\]`);
const LOOKS_LIKE_SETTING = /^[\w: \t\r\n\f\v]+=/;
const LOOKS_LIKE_DATA = /^##\w|^reference[ \t\f\v]*=/;

/** Without blanks at the end. A regular expression would take quadratic time for long runs of blanks. */
function withoutTrailingBlanks(line: string): string {
  let end = line.length;
  while (end > 0 && ' \t\r\n\f\v'.includes(line.charAt(end - 1))) end--;
  return line.slice(0, end);
}

/**
 * The line (without blanks at its end) without its comment; "#" begins none if it looks like a colour or a fragment of
 * HTML.
 */
function withoutComment(line: string): string {
  const comment = line.indexOf('#');
  const isKept = comment === -1 || /#[0-9a-f]{6,8}$/i.test(line) || /\w#\w/.test(line) || endsInNumber(line);
  return isKept ? line : withoutTrailingBlanks(line.slice(0, comment));
}

/** Whether the line ends in a word, perhaps a quote, and "#" with digits. */
function endsInNumber(line: string): boolean {
  const hash = line.lastIndexOf('#');
  if (!/^\d+$/.test(line.slice(hash + 1))) return false;
  const before = withoutTrailingBlanks(line.slice(0, hash));
  let end = before.length;
  while (before.charAt(end - 1) === '"') end--;
  return /\w/.test(before.charAt(end - 1));
}

/** Splits after each "\n", as Perl reads. */
function rawLines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function linesOf(text: string): Line[] {
  let inConfig = true;
  // GBrowse.conf includes the file within its [GENERAL].
  let section: string | undefined = 'general';
  let tag: string | undefined;

  function staysConfig(line: string): boolean {
    if (LOOKS_LIKE_DATA.test(line)) return false;
    return (
      line === '' ||
      HEADER.test(line) ||
      (LOOKS_LIKE_SETTING.test(line) && section !== undefined) ||
      (CONTINUATION.test(line) && tag !== undefined) ||
      line.startsWith('#')
    );
  }

  function read(raw: string): Line {
    const line = withoutTrailingBlanks(raw.replaceAll('\r', ''));
    const other = { raw, kind: 'other', general: section === 'general' } as const;
    if (DIRECTIVE.test(line) || BARE_COMMENT.test(line)) return other;
    const config = inConfig ? staysConfig(line) : LEAVES_DATA.test(line);
    if (config !== inConfig) {
      inConfig = config;
      section = undefined;
      tag = undefined;
    }
    if (!config) return { ...other, general: false };

    const bare = withoutComment(line);
    const [, more] = CONTINUATION.exec(bare) ?? [];
    if (more !== undefined && tag !== undefined) {
      section ??= 'general';
      return { raw, kind: 'continuation', general: section === 'general', tag, value: more };
    }
    const [, label] = HEADER.exec(bare) ?? [];
    if (label !== undefined) {
      section = /^(general|default)$/i.test(label) ? 'general' : label;
      return { raw, kind: 'header', general: section === 'general' };
    }
    const [, before = '', value] = SETTING.exec(bare) ?? [];
    const name = withoutTrailingBlanks(before);
    if (!NAME.test(name) || value === undefined) return other;
    section ??= 'general';
    tag = name.toLowerCase();
    return { raw, kind: 'setting', general: section === 'general', tag, value };
  }

  return rawLines(text).map(read);
}

/** The two settings as GBrowse reads them: on or off, and the list, even if it is not used. */
function farmOf(text: string): { on: boolean; list: string[] } {
  const settings = new Map<string, string>();
  for (const { kind, general, tag, value = '' } of linesOf(text)) {
    if (!general || tag === undefined) continue;
    settings.set(tag, kind === 'continuation' ? `${settings.get(tag) ?? ''} ${value}` : value);
  }
  // What Perl treats as false.
  const on = !['', '0'].includes(settings.get(RENDERFARM) ?? '');
  const list = (settings.get(REMOTE_RENDERER) ?? '').split(/\s+/);
  return { on, list: list.flatMap(url => url.replace(/^(["'])(.*)\1$/, '$2') || []) };
}

/**
 * The slaves' URLs that GBrowse renders on with this file; none where `renderfarm` is off, or the list says `none` or
 * `local`.
 */
export function listedIn(text: string): string[] {
  const { on, list } = farmOf(text);
  return !on || ['none', 'local'].includes(list.join(' ')) ? [] : list;
}

/** Whether the file, however it is written, already has exactly these URLs, and `renderfarm` off if there are none. */
export function isListed(text: string, urls: readonly string[]): boolean {
  const { on, list } = farmOf(text);
  return on === urls.length > 0 && list.length === urls.length && urls.every((url, at) => list[at] === url);
}

/** `text` with line ends like the file's own. */
function withLineEnds(text: string, like: string): string {
  return like.endsWith('\r\n') ? text.replaceAll('\n', '\r\n') : text;
}

/**
 * Where settings can be put behind `[GENERAL]`. Undefined also where an indented line follows with no setting of its
 * own before it: it would become a part of ours.
 */
function behindHeader(lines: readonly Line[]): number | undefined {
  const header = lines.findIndex(line => line.kind === 'header' && line.general);
  if (header < 0) return undefined;
  const following = lines.slice(header + 1);
  const next = following.findIndex(({ kind, raw }) => kind === 'setting' && !INDENTED.test(raw));
  const between = following.slice(0, next < 0 ? following.length : next);
  return between.some(({ raw }) => INDENTED.test(raw)) ? undefined : header + 1;
}

/**
 * The file with these settings in `[GENERAL]`, every other line kept byte for byte. An existing setting is rewritten in
 * its place; a new one is put before the first of them, else at the beginning of `[GENERAL]`.
 *
 * @param text undefined where there is no file yet
 * @param settings by name in lower case: all lines of the setting, each with its line end; empty to remove it
 */
export function withSettings(text: string | undefined, settings: Readonly<Record<string, string>>): string {
  const isOurs = ({ general, tag = '' }: Line) => general && Object.hasOwn(settings, tag);
  const lines = linesOf(text ?? '').filter(line => !(line.kind === 'continuation' && isOurs(line)));
  const like = lines[0]?.raw ?? '';
  const present = new Set(lines.filter(isOurs).map(line => line.tag));
  /** New settings, and perhaps an existing one, in their order. */
  const withMissing = (tag?: string) =>
    Object.keys(settings)
      .filter(name => name === tag || !present.has(name))
      .map(name => settings[name])
      .join('');

  if (present.size > 0) {
    const first = lines.findIndex(isOurs);
    // A duplicate setting is rewritten each time: the last one counts.
    const rewritten = lines.map((line, at) => {
      if (!isOurs(line)) return line.raw;
      const own = at === first ? withMissing(line.tag) : settings[line.tag ?? ''];
      return withLineEnds(own ?? '', like);
    });
    return rewritten.join('');
  }
  const at = behindHeader(lines);
  const before = lines.slice(0, at).map(line => line.raw);
  const after = lines.slice(before.length).map(line => line.raw);
  const gap = before.length === 0 || before.at(-1)?.endsWith('\n') ? '' : '\n';
  const added = gap + (at === undefined ? '[GENERAL]\n' : '') + withMissing();
  return [...before, withLineEnds(added, like), ...after].join('');
}

/** A setting of `[GENERAL]` as GBrowse reads it, its lines with one blank between them; undefined where there is none. */
export function settingIn(text: string, name: string): string | undefined {
  let found: string | undefined;
  for (const { kind, general, tag, value = '' } of linesOf(text)) {
    if (!general || tag !== name) continue;
    found = kind === 'continuation' ? `${found ?? ''} ${value}` : value;
  }
  return found;
}

/** Begins the comment that says which slaves of the list are the balancer's own; the others are the administrator's. */
const OWN = '# gbrowse-aws-balancer keeps these slaves:';

/** The slaves that a balancer has put into the file and that are still in its list, even if the list is not used. */
export function ownIn(text: string): string[] {
  const noted = rawLines(text)
    .filter(line => line.startsWith(OWN))
    .flatMap(line => line.slice(OWN.length).split(/\s+/));
  const { list } = farmOf(text);
  return list.filter(url => noted.includes(url));
}

/** The slaves in the file's list that no balancer has put there. */
export function foreignIn(text: string): string[] {
  const own = ownIn(text);
  const { on, list } = farmOf(text);
  // A disabled list without our slaves is one that its owner does not use.
  return on || own.length > 0 ? list.filter(url => url.includes('://') && !own.includes(url)) : [];
}

/**
 * The file with these slaves as the balancer's own, after the administrator's, which stay. If it has them already,
 * however it is written, the text does not change.
 *
 * @param text undefined where there is no file yet
 */
export function withOwn(text: string | undefined, urls: readonly string[]): string {
  const all = [...foreignIn(text ?? '').filter(url => !urls.includes(url)), ...urls];
  const isNoted = ownIn(text ?? '').join(' ') === urls.join(' ');
  if (isNoted && isListed(text ?? '', all)) return text ?? '';
  const bare = rawLines(text ?? '').filter(line => !line.startsWith(OWN));
  const list = `remote renderer =\n${all.map(url => `\t${url}\n`).join('')}`;
  return withSettings(text === undefined ? undefined : bare.join(''), {
    [RENDERFARM]: `renderfarm = ${all.length > 0 ? 1 : 0}\n`,
    [REMOTE_RENDERER]: urls.length > 0 ? `${list}${OWN} ${urls.join(' ')}\n` : list,
  });
}
