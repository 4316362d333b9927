import { COMMANDS } from '../../src/cli/commands.ts';
import { OPTIONS } from '../../src/cli/options.ts';
import { CONFIG_FILES } from '../../src/config/locate.ts';
import { type Option, optionsOf, type WhenUnset } from '../../src/config/options.ts';
import { HOURS_A_MONTH, onDemandPrice, SNAPSHOT_PRICE, VOLUME_PRICES } from '../../src/spot/list-prices.ts';

/** What goes into a page besides the program's own tables. */
export type Edition = {
  readonly version: string;
  /** `2026-11-22`. */
  readonly date: string;
};

/**
 * A manual page: a template, in whose places (`@OPTIONS MASTER@`) the tables of the command line and of the
 * configuration file are put, so that the page and the program cannot say different things.
 *
 * @throws {Error} for a place that nothing belongs in
 */
export function manualPage(template: string, { version, date }: Edition): string {
  const parts: Readonly<Record<string, string>> = {
    DATE: date,
    VERSION: roff(version),
    SYNOPSIS: COMMANDS.map(synopsis).join('\n.br\n'),
    COMMANDS: COMMANDS.map(({ name, description }) =>
      entry(`.B ${roff(name)}`, `${roff(description)}.`),
    ).join('\n'),
    OPTIONS: commandLineOptions(),
    'OPTIONS MASTER': optionsOf('MASTER').map(configOption).join('\n'),
    'OPTIONS SLAVE': optionsOf('SLAVE').map(configOption).join('\n'),
    'PRICE DISK': String(VOLUME_PRICES.gp3),
    'PRICE SNAPSHOT': String(SNAPSHOT_PRICE),
    'PRICE DISKS': ((20 * (VOLUME_PRICES.gp3 ?? 0)) / HOURS_A_MONTH).toFixed(4),
    'PRICE DEMAND': String(onDemandPrice('m5.large')),
    CONFIG_FILES: CONFIG_FILES.map(file => `.I ${roff(file)}`).join('\n.TQ\n'),
  };
  return template.replaceAll(/@([A-Z_]+(?: [A-Z]+)?)@/g, (_, place: string) => {
    const part = parts[place];
    if (part === undefined) throw new Error(`Nothing belongs in the place @${place}@ of a manual page`);
    return part;
  });
}

function synopsis({ name }: { readonly name: string }, at: number): string {
  const command = at === 0 ? `\\fR[\\fB${roff(name)}\\fR]` : roff(name);
  return `.B gbrowse\\-aws\\-balancer ${command}\n.RI [ OPTIONS ]`;
}

function commandLineOptions(): string {
  return OPTIONS.map(({ name, value, description, default: preset, commands }) => {
    const head = `.B \\-\\-${roff(name)}${value === undefined ? '' : ` \\fI${roff(value)}\\fR`}`;
    const own = COMMANDS.filter(command => commands?.includes(command.name) ?? true);
    const only = own.length === COMMANDS.length ? '' : `\n(${own.map(it => roff(it.name)).join(', ')})`;
    const otherwise = preset === undefined ? '' : ` Without it: ${roff(preset)}.`;
    return entry(head, `${sentence(description)}${otherwise}${only}`);
  }).join('\n');
}

function configOption({ name, meaning, expected, whenUnset }: Option<unknown>): string {
  return entry(
    `.B ${roff(name)}`,
    `${sentence(meaning)}\nExpected: ${sentence(expected)}\n${sentence(unset(whenUnset))}`,
  );
}

function unset(whenUnset: WhenUnset): string {
  if (whenUnset === 'required') return 'Required.';
  if ('default' in whenUnset) return `Without it: ${whenUnset.default === '' ? 'none' : whenUnset.default}.`;
  return `Without it: ${whenUnset.otherwise}.`;
}

/** An item of a list of options. */
export function entry(head: string, text: string): string {
  return `.TP\n${head}\n${text}`;
}

/** A text as roff, with a full stop. */
export function sentence(text: string): string {
  return `${roff(text)}${/[.!?]$/.test(text) ? '' : '.'}`;
}

/** As roff has it: a hyphen that may be copied, no line that begins like a request. */
export function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(/^(?=[.'])/gm, '\\&');
}
