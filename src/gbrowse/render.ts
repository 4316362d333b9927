import { readFile } from 'node:fs/promises';
import { SECOND } from '../clock.ts';
import { PLAIN_ENVIRONMENT, run } from '../os/run.ts';
import type { Installation } from './installations.ts';
import { RENDER_SCRIPT } from './render-script.ts';

/** How a data source's track was drawn. */
export type Rendering = {
  readonly track?: string;
  /** How long it took, in seconds. */
  readonly seconds: number;
  /** The size of the image. */
  readonly bytes?: number;
  /** Why there is no image. */
  readonly error?: string;
  /** Why GBrowse cannot keep an image that a slave has drawn. */
  readonly put?: string;
};

/** The users that web servers run as: Debian's, Red Hat's, others'. */
const WEB_USERS = ['www-data', 'apache', 'http', 'nobody'] as const;
/** GBrowse's modules alone take seconds to load. */
const LOADING = 30 * SECOND;

/**
 * Draws one track of a data source with a slave, or, if there is none, with GBrowse's slave code on this machine. As
 * root it runs as the web server's user, because GBrowse's configuration contains program code.
 *
 * @param timeLimit ms, for the drawing
 * @throws {UserError} when Perl cannot be run, or takes much longer
 */
export async function renderOne(
  { directory, file, namedBy }: Installation,
  source: string,
  { slave, timeLimit }: { readonly slave?: string; readonly timeLimit: number },
): Promise<Rendering> {
  const limit = String(Math.max(1, Math.round(timeLimit / SECOND)));
  const as = process.geteuid?.() === 0 ? await webUser() : undefined;
  const output = await run(
    ['perl', '-e', RENDER_SCRIPT, file, source, limit, ...(slave === undefined ? [] : [slave])],
    {
      timeLimit: timeLimit + LOADING,
      what: `drawing a track of ${source}`,
      env: { ...PLAIN_ENVIRONMENT, ...(namedBy !== undefined && { GBROWSE_CONF: directory }) },
      ...(as !== undefined && { as }),
    },
  );
  return parseRendering(output.trimEnd().split('\n').at(-1) ?? '');
}

/** What the script's last line says; an error where it is none of the script's. */
export function parseRendering(line: string): Rendering {
  const seen = parsed(line);
  if (typeof seen !== 'object' || seen === null) {
    return { seconds: 0, error: `Perl ended without a result: ${line.slice(0, 200)}` };
  }
  const text = (name: string) => {
    const value: unknown = Reflect.get(seen, name);
    return typeof value === 'string' ? { [name]: value } : {};
  };
  const number = (name: string) => {
    const value: unknown = Reflect.get(seen, name);
    return typeof value === 'number' ? { [name]: value } : {};
  };
  return {
    seconds: 0,
    ...number('seconds'),
    ...number('bytes'),
    ...text('track'),
    ...text('error'),
    ...text('put'),
  };
}

/** A line of JSON; undefined where it is none. */
export function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** The user that the web server runs as, with its group; undefined where there is none of the usual ones. */
export async function webUser(): Promise<{ readonly uid: number; readonly gid: number } | undefined> {
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map(line => line.split(':'));
  for (const name of WEB_USERS) {
    const [, , uid, gid] = users.find(([user]) => user === name) ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}
