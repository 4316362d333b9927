import { findOption, parseDocument } from '../config/document.ts';
import { optionsOf } from '../config/options.ts';
import type { Files } from './look.ts';
import { takeOver } from './original.ts';

/** Values of options, in the words of the file; undefined where an option is not set. */
export type Values = Readonly<Record<string, string | undefined>>;

/** What the answers go into. */
export type Start = {
  /** A configuration's text. */
  readonly text: string;
  /** What somebody has decided on; nothing of the package's example, which nobody has chosen. */
  readonly decided: Values;
};

/** The administrator's own configuration, else the example with the settings of the Perl original. */
export function findStart(
  { configuration, example, isDecided, originals }: Files,
  say: (line: string) => void,
): Start {
  if (isDecided) {
    const text = configuration.text ?? example;
    const [own, proposed] = [valuesOf(text), valuesOf(example)];
    const isExample = (['instance_type', 'spot_bid'] as const).every(name => own[name] === proposed[name]);
    // Written without an account: there were no prices to choose by.
    return { text, decided: isExample ? { ...own, instance_type: undefined, spot_bid: undefined } : own };
  }
  for (const { file, text } of originals) {
    const { text: result, taken, left } = takeOver(text, example);
    if (taken.length > 0) say(`Taken over from ${file}: ${taken.join(', ')}.`);
    for (const line of left) say(`Not taken over from ${file}: ${line}.`);
    if (taken.length > 0) {
      const decided = Object.entries(valuesOf(result)).filter(([name]) => taken.includes(name));
      return { text: result, decided: Object.fromEntries(decided) };
    }
  }
  return { text: example, decided: {} };
}

/** The values of all options in a configuration's text. */
export function valuesOf(text: string): Values {
  const document = parseDocument(text);
  const entries = (['MASTER', 'SLAVE'] as const).flatMap(section =>
    optionsOf(section).map(({ name }) => [name, findOption(document, section, name)?.value || undefined]),
  );
  return Object.fromEntries(entries);
}
