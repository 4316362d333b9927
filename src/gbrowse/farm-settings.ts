import type { Configuration, Reading, Source } from './configuration.ts';
import { type Setting, settingOf } from './parse.ts';

/** The two options of GBrowse that make a farm. */
type FarmOption = 'renderfarm' | 'remote renderer';

/** The farm for all data sources: the last value in GBrowse's own configuration. */
type FarmSettings = Readonly<Partial<Record<FarmOption, Setting>>>;

/** A data source's own setting, which overrides the farm. */
export type OwnSetting = {
  readonly source: string;
  readonly option: FarmOption;
  /** The section of the data source's configuration: `general`, `TRACK DEFAULTS`, a track. */
  readonly section: string;
  readonly setting: Setting;
};

export function farmSettings({ globals }: Configuration): FarmSettings {
  const renderfarm = settingOf(globals.sections, 'general', 'renderfarm');
  const remoteRenderer = settingOf(globals.sections, 'general', 'remote renderer');
  return {
    ...(renderfarm !== undefined && { renderfarm }),
    ...(remoteRenderer !== undefined && { 'remote renderer': remoteRenderer }),
  };
}

/** Every data source's own settings of the farm. */
export function ownSettings({ sources }: Configuration): readonly OwnSetting[] {
  return sources.flatMap(ownOf);
}

function ownOf({ name, reading }: Source): readonly OwnSetting[] {
  const found: OwnSetting[] = [];
  for (const [section, options] of reading?.sections ?? []) {
    const renderfarm = options.get('renderfarm');
    const renderers = options.get('remote renderer');
    // As in Perl: with a true value of its own the source uses the farm even if the farm itself says 0.
    if (section === 'general' && renderfarm !== undefined) {
      found.push({ source: name, option: 'renderfarm', section, setting: renderfarm });
    }
    if (renderers !== undefined) {
      found.push({ source: name, option: 'remote renderer', section, setting: renderers });
    }
  }
  return found;
}

/** Whether Perl takes a value for true. */
export function isOn(setting: Setting | undefined): boolean {
  return setting !== undefined && setting.value !== '' && setting.value !== '0';
}

/** Everything that kept a configuration from being read. */
export function readings({ globals, sources }: Configuration): readonly Reading[] {
  return [globals, ...sources.flatMap(({ reading }) => reading ?? [])];
}
