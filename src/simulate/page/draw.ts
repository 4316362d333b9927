import type { ChartData } from './data.ts';

/** The parts of a browser, and of uPlot, that the charts need. (The project's types are Node's.) */
type Element_ = { readonly clientWidth: number; textContent: string | null };
type Browser = {
  readonly document: {
    readonly documentElement: unknown;
    querySelector(selector: string): Element_ | null;
  };
  getComputedStyle(element: unknown): { getPropertyValue(name: string): string };
  matchMedia(query: string): { addEventListener(event: 'change', listener: () => void): void };
  addEventListener(event: 'resize', listener: () => void): void;
};
type Plot = {
  setSize(size: { width: number; height: number }): void;
  setScale(scale: string, range: { min: number; max: number }): void;
  redraw(rebuildPaths?: boolean): void;
  readonly scales: { readonly x: { readonly min: number; readonly max: number } };
};
type UPlot = {
  new (options: unknown, data: readonly (readonly number[])[], target: Element_): Plot;
  readonly paths: { stepped(options: { align: 1 }): unknown };
};

/**
 * Draws the charts. This function is copied into the page, so it must not use anything outside itself.
 *
 * @param window of the browser
 * @param uPlot the library
 */
export function drawCharts(window: Browser, uPlot: UPlot, data: ChartData): void {
  const { document } = window;
  const colour = (name: string) => () =>
    window.getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const plots: Plot[] = [];

  /** A moment as people write it, as precise as the span needs. */
  function moment(second: number, span: number, whole = false): string {
    const iso = new Date(second * 1000).toISOString();
    const day = data.dated ? iso.slice(5, 10) : `day ${Math.floor(second / 86_400) + 1}`;
    const time = iso.slice(11, span < 300 ? 19 : 16);
    if (whole) return `${data.dated ? iso.slice(0, 10) : day} ${time}`;
    return span > 86_400 && second % 86_400 === 0 ? day : time;
  }
  function axis(values: unknown, size: number) {
    return {
      stroke: colour('text'),
      grid: { stroke: colour('grid'), width: 1 },
      ticks: { stroke: colour('grid'), width: 1 },
      size,
      ...(values !== undefined && { values }),
    };
  }
  const steps = [
    1, 10, 60, 300, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 432_000, 864_000,
    2_592_000,
  ];
  const times = {
    ...axis(
      (plot: Plot, splits: readonly number[]) =>
        splits.map(it => moment(it, plot.scales.x.max - plot.scales.x.min)),
      32,
    ),
    incrs: steps,
    space: 75,
  };

  function line(label: string, name: string, unit: string, more: object = {}) {
    return {
      label,
      stroke: colour(name),
      width: 1,
      points: { show: false },
      value: (_: Plot, value: number | null | undefined) =>
        value == null
          ? ''
          : `${unit === '$' ? '$' : ''}${Number(value.toPrecision(3))}${unit === '$' ? '' : unit}`,
      ...more,
    };
  }

  function chart(
    selector: string,
    height: number,
    lines: readonly object[],
    values: readonly (readonly number[])[],
    more: object,
    isWhole = false,
  ) {
    const target = document.querySelector(selector);
    if (target === null) return;
    target.textContent = '';
    const first = data.seconds[0] ?? 0;
    const options = {
      width: target.clientWidth,
      height,
      tzDate: (second: number) => new Date(second * 1000),
      cursor: { sync: { key: 'all' }, drag: { x: true, y: false } },
      scales: {
        x: { time: false },
        y: { range: (_: Plot, __: number, high: number) => [0, Math.max(high * 1.08, 0.001)] },
      },
      axes: [
        times,
        { ...axis(undefined, 48), ...(isWhole && { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500] }) },
      ],
      series: [
        {
          label: 'time',
          value: (_: Plot, second: number | null | undefined) =>
            second == null ? 'point at a chart for its figures' : moment(second, 0.9 * 86_400, true),
        },
        ...lines,
      ],
      hooks: {
        setScale: [
          (plot: Plot, scale: string) => {
            if (scale !== 'x') return;
            const { min, max } = plot.scales.x;
            for (const other of plots) {
              if (other !== plot && (other.scales.x.min !== min || other.scales.x.max !== max))
                other.setScale('x', { min, max });
            }
          },
        ],
      },
      ...more,
    };
    const plot = new uPlot(options, [data.seconds, ...values], target);
    plots.push(plot);
    // One point has no width.
    if (data.seconds.length < 2) plot.setScale('x', { min: first - 1, max: first + 1 });
    const resize = () => plot.setSize({ width: target.clientWidth, height });
    window.addEventListener('resize', resize);
  }

  const stepped = uPlot.paths.stepped({ align: 1 });
  // What is drawn last lies on top.
  const own = data.policies.filter(({ id }) => id === 'balancer');
  const farms = [...data.policies.filter(({ id }) => id !== 'none' && id !== 'balancer'), ...own];
  chart(
    '#load',
    190,
    [line('busiest minute', 'peak', '/s'), line('requests/s', 'load', '/s', { width: 1.5 })],
    [data.load.most, data.load.mean],
    {},
  );
  chart(
    '#slaves',
    300,
    [
      line('wanted, at most', 'wanted', '', { paths: stepped }),
      line('wanted, at least', 'wanted', '', { paths: stepped }),
      ...farms.map(({ id, title }) =>
        line(title, id, '', {
          paths: stepped,
          width: id === 'balancer' ? 2 : 1.25,
          ...(id === 'fixed' && { dash: [6, 4] }),
        }),
      ),
    ],
    [data.wanted.max, data.wanted.min, ...farms.map(({ serving }) => serving)],
    { bands: [{ series: [1, 2], fill: colour('band') }] },
    true,
  );
  chart(
    '#cost',
    220,
    farms.map(({ id, title }) =>
      line(title, id, '$', { width: id === 'balancer' ? 2 : 1.25, ...(id === 'fixed' && { dash: [6, 4] }) }),
    ),
    farms.map(({ paid }) => paid),
    {},
  );
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    for (const plot of plots) plot.redraw(false);
  });
}
