import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** What became of a track of a page. `lost`: the request for it failed, or it never came to an end. */
export type Outcome = 'delivered' | 'error' | 'lost';

export type Track = {
  readonly name: string;
  readonly outcome: Outcome;
  /** What GBrowse or the connection said, of those that were not delivered. */
  readonly reason?: string;
  /** From the request for the page to the end of the track, ms. */
  readonly took: number;
};

export type Visit = {
  readonly region: string;
  /** Wall clock, ms. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly tracks: readonly Track[];
};

/** As GBrowse's own script does it. */
const FIRST_PAUSE = 1_000;
const SLOWER_EACH_TIME = 1.1;
/** As long as GBrowse itself may go on trying, and a little. */
const PATIENCE = 150_000;

/** A browser that is looking at a data source: it keeps its cookies. */
export type Browser = {
  /** Goes to a region, and waits until all of its tracks have come to an end. Never rejects. */
  visit(region: string): Promise<Visit>;
};

export function createBrowser(page: string): Browser {
  let cookie = '';

  async function ask(form?: URLSearchParams): Promise<string> {
    const { status, cookies, text } = await send(page, cookie, form?.toString());
    if (cookies.length > 0) cookie = cookies.map(it => it.split(';')[0]).join('; ');
    if (status !== 200) throw new Error(`HTTP status ${status}`);
    return text;
  }

  /** Perl's JSON; `action` is what GBrowse's script calls it. */
  async function act<T>(action: string, more: Record<string, string> | [string, string][]): Promise<T> {
    const form = new URLSearchParams(more);
    form.set('action', action);
    return JSON.parse(await ask(form)) as T;
  }

  async function keysOf(region: string): Promise<Record<string, string>> {
    if (cookie === '') await ask();
    const [name = '', from = '', to = ''] = region.split(/[:.]+/);
    const { track_keys: keys } = await act<{ track_keys: Record<string, string> }>('navigate', {
      navigate: `set segment ${name}:${from}..${to}`,
      view_start: from,
      view_stop: to,
    });
    return keys;
  }

  async function visit(region: string): Promise<Visit> {
    const startedAt = Date.now();
    const tracks: Track[] = [];
    const end = (name: string, outcome: Outcome, reason?: string) =>
      tracks.push({ name, outcome, took: Date.now() - startedAt, ...(reason !== undefined && { reason }) });
    let waiting: [string, string][] = [['the page', '']];
    try {
      waiting = Object.entries(await keysOf(region));
      for (let pause = FIRST_PAUSE; waiting.length > 0; pause *= SLOWER_EACH_TIME) {
        await sleep(pause);
        if (Date.now() - startedAt > PATIENCE) throw new Error('no end of it');
        const { track_html: html } = await act<{ track_html: Record<string, string> }>('retrieve_multiple', [
          ...waiting.map(([name]): [string, string] => ['track_ids', name]),
          ...waiting.map(([name, key]): [string, string] => [`tk_${name}`, key]),
        ]);
        waiting = waiting.filter(([name]) => !isOver(name, html[name] ?? '', end));
      }
    } catch (error) {
      for (const [name] of waiting) end(name, 'lost', error instanceof Error ? error.message : String(error));
    }
    return { region, startedAt, endedAt: Date.now(), tracks };
  }

  return { visit };
}

type Answer = {
  readonly status: number | undefined;
  readonly cookies: readonly string[];
  readonly text: string;
};

/** Over a connection of its own: a server may close one that is kept alive just when it is used again. */
function send(url: string, cookie: string, form: string | undefined): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { cookie, 'content-type': 'application/x-www-form-urlencoded' };
    const signal = AbortSignal.timeout(PATIENCE);
    const method = form === undefined ? 'GET' : 'POST';
    const sent = request(url, { agent: false, method, headers, signal }, answer => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      answer.on('end', () =>
        resolve({ status: answer.statusCode, cookies: answer.headers['set-cookie'] ?? [], text }),
      );
      answer.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(form);
  });
}

/** What GBrowse's script makes of the answer for a track: the state is in a comment in front. */
function isOver(
  name: string,
  html: string,
  end: (name: string, outcome: Outcome, reason?: string) => void,
): boolean {
  const [, state = ''] = /^<!-- (\w+) -->/.exec(html) ?? [];
  switch (state) {
    case 'AVAILABLE':
      end(name, 'delivered');
      return true;
    case 'ERROR':
    case 'EXPIRED':
    case 'DEFUNCT':
      end(name, 'error', state);
      return true;
    default:
      return false;
  }
}
