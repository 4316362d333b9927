import { COMMANDS } from '../../src/cli/commands.ts';
import type { DescribedOption } from '../../src/cli/declaration.ts';
import { OPTIONS } from '../../src/cli/options.ts';

const PROGRAM = 'gbrowse-aws-balancer';

/** What a value of an option can be, for a shell. */
type Completion = 'file' | 'user' | 'anything' | readonly string[];

function completionOf({ name, value }: DescribedOption): Completion | undefined {
  if (value === undefined) return undefined;
  if (value === 'FILE' || value === 'DIR') return 'file';
  if (name === 'user') return 'user';
  const [, from, to] = /^(\d)-(\d)$/.exec(value) ?? [];
  if (from !== undefined && to !== undefined) {
    return Array.from({ length: Number(to) - Number(from) + 1 }, (_, at) => String(Number(from) + at));
  }
  return /^[a-z]+(\|[a-z]+)+$/.test(value) ? value.split('|') : 'anything';
}

function optionsFor(command: string): readonly DescribedOption[] {
  return OPTIONS.filter(option => option.commands?.includes(command) ?? true);
}

/** For bash-completion: a file of the program's name. */
export function bashCompletion(): string {
  const words = (command: string) =>
    optionsFor(command)
      .map(option => `--${option.name}`)
      .join(' ');
  const values = OPTIONS.flatMap(option => {
    const completion = completionOf(option);
    if (completion === undefined) return [];
    const reply =
      completion === 'file'
        ? 'mapfile -t COMPREPLY < <(compgen -f -- "$cur"); compopt -o filenames'
        : completion === 'user'
          ? 'mapfile -t COMPREPLY < <(compgen -u -- "$cur")'
          : completion === 'anything'
            ? 'COMPREPLY=()'
            : `mapfile -t COMPREPLY < <(compgen -W '${completion.join(' ')}' -- "$cur")`;
    return [`\t--${option.name}) ${reply}; return ;;`];
  });
  return `# bash completion for ${PROGRAM}

_${PROGRAM.replaceAll('-', '_')}() {
\tlocal cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} command= word
\tcase $prev in
${values.join('\n')}
\tesac
\tfor word in "\${COMP_WORDS[@]:1:COMP_CWORD - 1}"; do
\t\tcase $word in ${COMMANDS.map(({ name }) => name).join(' | ')}) command=$word; break ;; esac
\tdone
\tcase $command in
${COMMANDS.map(({ name }, at) => `\t${at === 0 ? `'' | ${name}` : name}) word='${words(name)}' ;;`).join('\n')}
\tesac
\t[[ -n $command || $cur == -* ]] || word="$word ${COMMANDS.map(({ name }) => name).join(' ')}"
\tmapfile -t COMPREPLY < <(compgen -W "$word" -- "$cur")
}

complete -F _${PROGRAM.replaceAll('-', '_')} ${PROGRAM}
`;
}

/** For zsh: `_gbrowse-aws-balancer` in a directory of $fpath. */
export function zshCompletion(): string {
  const action = (option: DescribedOption) => {
    const completion = completionOf(option);
    if (completion === undefined) return '';
    const label = zsh((option.value ?? '').toLowerCase());
    if (completion === 'file') return `:${label}:_files`;
    if (completion === 'user') return `:${label}:_users`;
    return completion === 'anything' ? `:${label}: ` : `:${label}:(${completion.join(' ')})`;
  };
  const specs = (command: string) =>
    optionsFor(command).map(option => `'--${option.name}[${zsh(option.description)}]${action(option)}'`);
  return `#compdef ${PROGRAM}

local -a commands=(
${COMMANDS.map(({ name, description }) => `  '${name}:${zsh(description)}'`).join('\n')}
)
local command=\${words[(r)(${COMMANDS.map(({ name }) => name).join('|')})]:-${COMMANDS[0].name}}
local -a options
case $command in
${COMMANDS.map(
  ({ name }) =>
    `  ${name})\n    options=(\n${specs(name)
      .map(spec => `      ${spec}`)
      .join('\n')}\n    ) ;;`,
).join('\n')}
esac
_arguments $options '1::command:{_describe command commands}'
`;
}

function zsh(text: string): string {
  return text.replaceAll("'", "'\\''").replaceAll(/[[\]:]/g, '\\$&');
}

/** For fish: a file of the program's name. */
export function fishCompletion(): string {
  const names = COMMANDS.map(({ name }) => name).join(' ');
  const lines = COMMANDS.map(
    ({ name, description }) =>
      `complete -c ${PROGRAM} -f -n 'not __fish_seen_subcommand_from ${names}' -a ${name} -d '${fish(description)}'`,
  );
  for (const option of OPTIONS) {
    const completion = completionOf(option);
    const value =
      completion === undefined
        ? ''
        : completion === 'file'
          ? ' -r -F'
          : completion === 'user'
            ? " -x -a '(__fish_complete_users)'"
            : completion === 'anything'
              ? ' -x'
              : ` -x -a '${completion.join(' ')}'`;
    const others = COMMANDS.filter(({ name }) => option.commands?.includes(name) === false);
    const when =
      others.length === 0
        ? ''
        : option.commands?.includes(COMMANDS[0].name)
          ? ` -n 'not __fish_seen_subcommand_from ${others.map(({ name }) => name).join(' ')}'`
          : ` -n '__fish_seen_subcommand_from ${option.commands?.join(' ')}'`;
    lines.push(`complete -c ${PROGRAM}${when} -l ${option.name}${value} -d '${fish(option.description)}'`);
  }
  return `${lines.join('\n')}\n`;
}

function fish(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
}
