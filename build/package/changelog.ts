/**
 * Debian's changelog of one version, from the section of that version in CHANGELOG.md.
 *
 * @param date of the release, RFC 2822
 * @throws {Error} when the version has no section
 */
export function debianChangelog(
  markdown: string,
  {
    version,
    date,
    maintainer,
  }: { readonly version: string; readonly date: string; readonly maintainer: string },
): string {
  const sections = markdown.split(/^## /m).slice(1);
  const section = sections.find(it => it.split(/\s/, 1)[0] === version);
  if (section === undefined) throw new Error(`CHANGELOG.md has no section "## ${version}"`);
  const items = section
    .split('\n')
    .slice(1)
    .join('\n')
    .split(/^- /m)
    .slice(1)
    .map(item => item.replaceAll(/\s+/g, ' ').replaceAll(/[`*]/g, '').trim());
  const changes = items.length > 0 ? items : ['See the project’s own changelog.'];
  return [
    `gbrowse-aws-balancer (${version}) unstable; urgency=medium`,
    '',
    ...changes.flatMap(change => wrap(change, 74).map((line, at) => `  ${at === 0 ? '*' : ' '} ${line}`)),
    '',
    ` -- ${maintainer}  ${date}`,
    '',
  ].join('\n');
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
