import { readFile } from 'node:fs/promises';

/** Variables of `/etc/default/gbrowse-aws-balancer`, which the init script and the systemd unit source. */
export type ServiceSettings = Readonly<
  Partial<Record<'USER' | 'CONFFILE' | 'ACCESS_KEY' | 'SECRET_KEY' | 'DAEMON_OPTS', string>>
>;

/**
 * Reads the settings of the service. Only plain assignments are understood; what the shell would have to work out is
 * left out.
 *
 * @returns undefined where there is no such file, or it is not ours to read
 */
export async function serviceSettings(file: string): Promise<ServiceSettings | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : parseSettings(text);
}

/** The assignments of a shell file; the last of each counts. */
export function parseSettings(text: string): ServiceSettings {
  const assignments = [
    ...text.matchAll(
      /^[ \t]*(?:export[ \t]+)?(\w+)=(?:"([^"$`\\]*)"|'([^']*)'|([^\s"'$`\\#;&|]*))[ \t]*(?:#.*)?$/gm,
    ),
  ];
  return Object.fromEntries(
    assignments.flatMap(([, name = '', double, single, plain]) => {
      const value = double ?? single ?? plain ?? '';
      return value === '' ? [] : [[name, value]];
    }),
  );
}
