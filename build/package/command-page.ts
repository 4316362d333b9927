import { COMMANDS, type CommandName } from '../../src/cli/commands.ts';
import type { DescribedCommand, DescribedOption } from '../../src/cli/declaration.ts';
import { OPTION_GROUPS } from '../../src/cli/options.ts';
import { type Edition, entry, roff, sentence } from './manual.ts';

const NAME = 'gbrowse-aws-balancer';

/** The sections of the main page's template that describe a command, and that stand in the page of that command. */
const SECTIONS: { readonly [C in CommandName]: readonly string[] } = {
  run: ['DRY RUN', 'METRICS', 'STATUS PAGE', 'LOG'],
  setup: ['SETUP'],
  sync: [],
  image: ['IMAGE'],
  status: ['STATUS'],
  report: ['HISTORY'],
  pause: ['PAUSE'],
  resume: ['PAUSE'],
  logs: ['SLAVES'],
  ssh: ['SLAVES'],
  check: ['CHECK'],
  simulate: ['SIMULATE'],
  gc: ['GC'],
  farm: [],
  'iam-policy': ['IAM POLICY'],
};

/** `sync` has a page that is written by hand. */
export const GENERATED_PAGES = COMMANDS.map(({ name }) => name).filter(name => name !== 'sync');

/** The main page without what stands in the pages of the commands. */
export function mainTemplate(template: string): string {
  const moved = new Set(Object.values(SECTIONS).flat());
  return sectionsOf(template)
    .flatMap(({ title, text }) => (moved.has(title) ? [] : [text]))
    .join('')
    .replace(/\.SH SEE ALSO\n[\s\S]*$/, `.SH SEE ALSO\n${seeAlso()}`);
}

/**
 * The page of a command: examples first, then what it does, then its options in the groups of `--help`.
 *
 * @param template of the main page
 * @throws {Error} where the template lacks a section
 */
export function commandPage(command: CommandName, template: string, { version, date }: Edition): string {
  const described: DescribedCommand = COMMANDS.find(it => it.name === command) ?? COMMANDS[0];
  const { description, example, words, usage } = described;
  const title = `${NAME}-${command}`;
  const sections = sectionsOf(template);
  const text = SECTIONS[command].map(name => {
    const section = sections.find(it => it.title === name);
    if (section === undefined) throw new Error(`The main page has no section ${name}`);
    return section.text.replace(/^\.SH .*\n/, SECTIONS[command].length > 1 ? `.SS ${name}\n` : '');
  });
  const groups = OPTION_GROUPS.flatMap(group => {
    const options: readonly DescribedOption[] = group.options;
    const own = options.filter(it => it.commands?.includes(command) ?? true);
    return own.length === 0 ? [] : [`.SS ${roff(group.title)}\n${own.map(optionEntry).join('\n')}`];
  });
  return [
    `.TH ${roff(title.toUpperCase())} 1 "${date}" "${roff(NAME)} ${roff(version)}" "GBrowse"`,
    `.SH NAME\n${roff(title)} \\- ${roff(description.charAt(0).toLowerCase() + description.slice(1))}`,
    `.SH SYNOPSIS\n.B ${roff(NAME)} ${command === 'run' ? '\\fR[\\fBrun\\fR]' : roff(command)}\n.RI [ OPTIONS ]${words ? `\n${roff(usage ?? '[FILE...]')}` : ''}`,
    `.SH EXAMPLES\n${roff(example.meaning)}:\n.PP\n.RS\n.nf\n${roff(`${NAME} ${example.words}`)}\n.fi\n.RE`,
    `.SH DESCRIPTION\n${text.length === 0 ? sentence(description) : text.join('').trimEnd()}`,
    `.SH OPTIONS\n${groups.join('\n')}`,
    `.SH SEE ALSO\n${seeAlso()}`,
  ].join('\n');
}

function optionEntry({ name, value, description, default: preset }: DescribedOption): string {
  const head = `.B \\-\\-${roff(name)}${value === undefined ? '' : ` \\fI${roff(value)}\\fR`}`;
  return entry(
    head,
    `${sentence(description)}${preset === undefined ? '' : ` Without it: ${roff(preset)}.`}`,
  );
}

function seeAlso(): string {
  const pages = [
    [NAME, 1],
    ...COMMANDS.map(({ name }) => [`${NAME}-${name}`, 1] as const),
    ['aws_balancer.conf', 5],
    ...['costs', 'glossary', 'migration'].map(name => [`${NAME}-${name}`, 7] as const),
  ] as const;
  return `${pages.map(([name, section], at) => `.BR ${roff(name)} (${section})${at < pages.length - 1 ? ',' : ''}`).join('\n')}\n`;
}

function sectionsOf(template: string): readonly { readonly title: string; readonly text: string }[] {
  return template.split(/^(?=\.SH )/m).map(text => ({ title: /^\.SH (.*)/.exec(text)?.[1] ?? '', text }));
}
