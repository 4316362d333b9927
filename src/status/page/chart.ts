import { html } from '../../format/html.ts';

/** A line of a chart; null: not known then. */
export type Line = {
  readonly name: string;
  readonly colour: string;
  readonly values: readonly (number | null)[];
};

export type Chart = {
  readonly title: string;
  readonly lines: readonly Line[];
  /** Levels across the whole chart, such as the rows of the load table. */
  readonly levels?: readonly { readonly at: number; readonly text: string }[];
  /** What stands at the left and at the right end. */
  readonly from: string;
  readonly until: string;
};

const [WIDTH, HEIGHT, LEFT, TOP, BOTTOM] = [600, 190, 44, 10, 22] as const;

/** A chart as SVG, of steps. Its colours are variables of the page's style, so that it follows light and dark. */
export function chart({ title, lines, levels = [], from, until }: Chart): string {
  const highest = Math.max(...lines.flatMap(({ values }) => values.map(it => it ?? 0)), 0);
  const shown = levels.filter(({ at }) => at > 0 && at <= highest * 1.5);
  const top = Math.max(highest, ...shown.map(({ at }) => at)) * 1.08 || 1;
  const y = (value: number) => (TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM)).toFixed(1);
  const count = Math.max(1, ...lines.map(({ values }) => values.length));
  const x = (index: number) => (LEFT + (index / count) * (WIDTH - LEFT - 4)).toFixed(1);
  const marks = [0, top / 2.16, top / 1.08];
  const key = lines.map(
    ({ name, colour }) => `<span class="key" style="background:var(--${colour})"></span>${html(name)}`,
  );
  return `<figure><figcaption>${html(title)} <span class="keys">${key.join(' ')}</span></figcaption>
<div class="chart"><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${html(title)}">
${marks.map(it => `<line x1="${LEFT}" x2="${WIDTH - 4}" y1="${y(it)}" y2="${y(it)}" class="grid"/><text x="${LEFT - 5}" y="${y(it)}" class="scale">${short(it)}</text>`).join('\n')}
${shown.map(({ at, text }) => `<line x1="${LEFT}" x2="${WIDTH - 4}" y1="${y(at)}" y2="${y(at)}" class="level"/><text x="${WIDTH - 6}" y="${y(at)}" class="level">${html(text)}</text>`).join('\n')}
${lines.map(line => `<path d="${steps(line.values, x, y)}" style="stroke:var(--${line.colour})"/>`).join('\n')}
<text x="${LEFT}" y="${HEIGHT - 5}" class="end">${html(from)}</text><text x="${WIDTH - 4}" y="${HEIGHT - 5}" class="scale">${html(until)}</text>
</svg></div></figure>`;
}

function steps(
  values: readonly (number | null)[],
  x: (index: number) => string,
  y: (value: number) => string,
): string {
  let path = '';
  let isDrawing = false;
  for (const [index, value] of values.entries()) {
    if (value === null) {
      isDrawing = false;
      continue;
    }
    path += `${isDrawing ? 'L' : 'M'}${x(index)} ${y(value)}L${x(index + 1)} ${y(value)}`;
    isDrawing = true;
  }
  return path;
}

function short(value: number): string {
  return String(Number(value.toPrecision(2)));
}
