/** Phases of a slave's boot, in their order; each ends at a moment of the slave's uptime. */
export const PHASES = ['kernel', 'network', 'data', 'listening'] as const;

export type Phase = (typeof PHASES)[number];

/** What one of our slaves says of itself with each answer to a probe; all in seconds of its uptime. */
export type SlaveFigures = {
  /** When it was asked. */
  readonly uptime: number;
  /** When each phase was over; those that are not over yet, or that the image does not tell, are left out. */
  readonly phases: Readonly<Partial<Record<Phase, number>>>;
  /** How often it has drawn for GBrowse since it started, and when its guard last saw that the number had grown. */
  readonly renders: number;
  readonly lastRender?: number;
};

/** The header of the answer that has them, written by the slave's script (`src/spot/slave-script`). */
export const FIGURES_HEADER = 'X-GBrowse-Slave';

const LINE = new RegExp(String.raw`^${FIGURES_HEADER}:[ \t]*([\w=. \t]{1,500})\r?$`, 'im');

/** Reads `X-GBrowse-Slave: up=31.2 kernel=2.1 renders=4`; undefined where the answer has no such line. */
export function figuresOf(head: string): SlaveFigures | undefined {
  const text = LINE.exec(head)?.[1];
  if (text === undefined) return undefined;
  const numbers = new Map(
    [...text.matchAll(/(?<!\w)(\w{1,64})=(\d{1,10}(?:\.\d{1,6})?)(?=\s|$)/g)].map(([, name = '', value]) => [
      name,
      Number(value),
    ]),
  );
  const uptime = numbers.get('up');
  const renders = numbers.get('renders');
  if (uptime === undefined || renders === undefined) return undefined;
  const lastRender = numbers.get('drawn');
  const phases = PHASES.flatMap(phase => {
    const end = numbers.get(phase);
    return end === undefined ? [] : [[phase, end] as const];
  });
  return {
    uptime,
    phases: Object.fromEntries(phases),
    renders,
    ...(lastRender !== undefined && { lastRender }),
  };
}
