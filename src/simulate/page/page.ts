import { SECOND } from '../../clock.ts';
import { duration } from '../../format/durations.ts';
import { html } from '../../format/html.ts';
import { dollars } from '../../format/money.ts';
import { grouped, share } from '../../format/numbers.ts';
import { NEED_IN_WORDS } from '../need.ts';
import { BEST_IN_WORDS } from '../run-best.ts';
import type { Policy, Simulation } from '../simulate.ts';
import type { Suggestion } from '../suggest.ts';
import {
  aboutLoad,
  bootWords,
  budgetWords,
  moment,
  releaseWords,
  surenessWords,
  tableText,
} from '../words.ts';
import { UPLOT_LICENSE, UPLOT_SCRIPT, UPLOT_STYLE } from './assets.ts';
import { chartData } from './data.ts';
import { drawCharts } from './draw.ts';
import { STYLE } from './style.ts';

/** A simulation as a page for a browser: one file that loads nothing, with its numbers readable without JavaScript. */
export function page(
  simulation: Simulation,
  about: {
    readonly remarks: readonly string[];
    readonly price: string;
    /** The program with its version, and the day. */
    readonly madeBy: string;
  },
): string {
  const { trace, own, other, world, suggestion } = simulation;
  const interruptions =
    world.interruptions === 0 ? 'no interruptions' : `${world.interruptions} interruptions an instance-hour`;
  const setting = `${own.name}: a poll every ${duration(own.settings.master.pollInterval)}; a slave boots in ${bootWords(world.bootTime)}; ${about.price}; ${interruptions}.`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'">
<title>${html(trace.name)}: simulated by ${html(about.madeBy)}</title>
<style>
${UPLOT_STYLE}
${STYLE}</style>
</head>
<body>
<h1>${html(trace.name)}</h1>
<p class="faint">Simulated by ${html(about.madeBy)}</p>
<p>${html(aboutLoad(simulation).slice(trace.name.length + 2))}.</p>
<p class="faint">${html(setting)}${other === undefined ? '' : html(` The other file: ${other.name}; both are judged by the first one's load table.`)}</p>
${about.remarks.map(it => `<p class="faint">${html(it)}</p>`).join('\n')}
${farms(simulation)}
<p>${html(budgetWords(simulation))}</p>
<h2>Load, requests/s</h2>
${figure('load', 'Drag across a chart to zoom in, double-click to zoom out; click a name to hide its line.')}
<h2>Slaves in the farm</h2>
${figure('slaves', 'The band goes from the min to the max that the load table gives for the current load.')}
<h2>Total cost so far, dollars</h2>
${figure('cost', '')}
${suggestion === undefined ? '' : `${suggested(simulation, suggestion)}\n<p>${html(releaseWords(simulation))}</p>`}
<h2>Day by day</h2>
${days(simulation)}
<h2>What the numbers mean</h2>
<p>${html(NEED_IN_WORDS)}</p>
<p>${html(BEST_IN_WORDS)}</p>
<p>Slave-minutes missing are the missing slaves times the minutes for which they were missing. Instances are billed by the second, for at least a minute each. The fixed farm runs all the time; the Perl original uses the average since Apache's start as the load.</p>
<!-- uPlot:
${UPLOT_LICENSE.replaceAll('--', '- -')}
-->
<script>
${UPLOT_SCRIPT.replaceAll('</script', '<\\/script')}
(${drawCharts.toString()})(window, uPlot, ${inScript(chartData(simulation))});
</script>
</body>
</html>
`;
}

function figure(id: string, caption: string): string {
  return `<figure><div class="chart"><div id="${id}">The chart needs JavaScript; the tables do not.</div></div>${caption === '' ? '' : `<figcaption>${html(caption)}</figcaption>`}</figure>`;
}

function farms(simulation: Simulation): string {
  const { policies, requests, days: length } = simulation;
  const mostCost = Math.max(...policies.map(({ outcome }) => outcome.cost));
  const bar = (id: Policy['id'], part: number) =>
    `<span class="bar" style="width:${(100 * Math.min(1, part)).toFixed(1)}%;background:var(--${id})"></span>`;
  const rows = policies.map(({ id, title, outcome, tooFewKnown, timesBest }) => {
    const { tooFew, missing, launches, interruptions, cost } = outcome;
    return `<tr class="${id}"><th scope="row"><span class="key" style="background:var(--${id})"></span>${html(title)}</th><td>${dollars(cost / length)}${bar(id, mostCost > 0 ? cost / mostCost : 0)}</td><td>${timesBest === undefined ? '–' : timesBest.toFixed(2)}</td><td>${share(tooFew, requests)}${bar(id, requests > 0 ? tooFew / requests : 0)}</td><td>${share(tooFewKnown, requests)}</td><td>${grouped(missing / 60_000)}</td><td>${grouped(launches)}</td><td>${grouped(interruptions)}</td></tr>`;
  });
  return `<h2>Farms</h2>
<p class="hint">Move the table sideways for more columns.</p>
<div class="table"><table class="farms">
<thead><tr><th scope="col"></th><th scope="col">cost a day</th><th scope="col">times the best</th><th scope="col">requests with too few slaves</th><th scope="col">by the past minute</th><th scope="col">slave-minutes missing</th><th scope="col">launches</th><th scope="col">interruptions</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table></div>`;
}

function suggested({ requests, days: length }: Simulation, suggestion: Suggestion | 'impossible'): string {
  if (suggestion === 'impossible')
    return '<h2>Suggested load table</h2>\n<p>None: at this load the table of the configuration never calls for a slave.</p>';
  const aDay = requests / length;
  const choices = suggestion.choices.map(
    ({ table, whole: { cost, tooFew } }) =>
      `<details><summary>${dollars(cost)} a day, ${html(share(tooFew, aDay))} of the requests meet too few slaves</summary><pre>${html(tableText(table))}</pre></details>`,
  );
  return `<h2>Suggested load table</h2>
<p>${html(suggestion.kept ? 'Keep the load table of the configuration.' : 'It serves at least as well for less.')} ${html(surenessWords(suggestion, aDay))}</p>
<pre>${html(tableText(suggestion.table))}</pre>
<p>What other tables would give:</p>
${choices.join('\n')}`;
}

function days({ trace, policies }: Simulation): string {
  const shown = policies.filter(({ id }) => id !== 'none');
  const count = shown[0]?.outcome.days.length ?? 0;
  const rows = Array.from({ length: count }, (_, day) => {
    const cells = shown.map(
      ({ outcome }) =>
        `<td>${dollars(outcome.days[day]?.cost ?? 0)}</td><td>${grouped(outcome.days[day]?.tooFew ?? 0)}</td>`,
    );
    return `<tr><th scope="row">${html(moment(trace, day * 86_400 * SECOND))}</th>${cells.join('')}</tr>`;
  });
  return `<details><summary>Cost, and requests that met too few slaves</summary><div class="table"><table class="days">
<thead><tr><th scope="col">24 hours from</th>${shown.map(({ title }) => `<th scope="col" colspan="2">${html(title)}</th>`).join('')}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table></div></details>`;
}

/** Data for a script: nothing in it ends the script. */
function inScript(data: unknown): string {
  return JSON.stringify(data)
    .replaceAll('<', '\\u003c')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
}
