import { optionsOf, type SectionWithOptions } from '../config/options.ts';

/** Says what is wrong with an answer, as the reader of the configuration file does; undefined where nothing is. */
export function refuseAs(section: SectionWithOptions, name: string): (answer: string) => string | undefined {
  const option = optionsOf(section).find(it => it.name === name);
  return answer => (option?.parse(answer) === undefined ? `expected ${option?.expected}` : undefined);
}

/** The same for an option that may be left unset. */
export function refuseUnlessEmpty(
  section: SectionWithOptions,
  name: string,
): (answer: string) => string | undefined {
  const refuse = refuseAs(section, name);
  return answer => (answer === '' ? undefined : refuse(answer));
}
