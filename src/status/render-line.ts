import { MINUTE } from '../clock.ts';
import { duration } from '../format/durations.ts';
import { grouped } from '../format/numbers.ts';
import type { Report } from './report.ts';

/** A farm that serves for so long, and of which GBrowse asks nothing, is idle. */
const IDLE_AFTER = 10 * MINUTE;

type RenderLine = { readonly text: string; readonly isIdle: boolean };

/** What the slaves that serve have drawn for GBrowse; undefined where they do not say. */
export function renderLine({ slaves, time }: Report): RenderLine | undefined {
  const serving = slaves.filter(it => it.state === 'serving' && it.readyAt !== null);
  const telling = serving.filter(it => it.renders !== null);
  if (telling.length === 0) return undefined;
  const now = Date.parse(time);
  const latest = (times: readonly (string | null)[]) =>
    Math.max(Number.NEGATIVE_INFINITY, ...times.flatMap(it => (it === null ? [] : [Date.parse(it)])));
  const lastDrawn = latest(telling.map(it => it.lastRenderAt));
  const quietFor = now - Math.max(lastDrawn, Math.min(...telling.map(it => Date.parse(it.readyAt ?? time))));
  if (telling.length === serving.length && quietFor >= IDLE_AFTER) {
    const text = `no slave has drawn anything for GBrowse for ${duration(quietFor)}; where people look at tracks meanwhile, "check" says why`;
    return { text, isIdle: true };
  }
  const sum = telling.reduce((total, it) => total + (it.renders ?? 0), 0);
  if (sum === 0) return { text: 'nothing drawn for GBrowse yet', isIdle: false };
  const since =
    lastDrawn === Number.NEGATIVE_INFINITY ? '' : `, last seen ${duration(Math.max(0, now - lastDrawn))} ago`;
  return {
    text: `${grouped(sum)} ${sum === 1 ? 'request' : 'requests'} of GBrowse drawn${since}`,
    isIdle: false,
  };
}
