import { createRandom, type Random } from './random.ts';
import { createTrace, type Trace } from './trace.ts';

const HOURS = 3600;
const DAY = 24 * HOURS;

/** The loads that come with the program: requests/s over the seconds. */
const SHAPES = {
  /** A day of a site of middling size: a quiet night, working hours with a dip at noon. */
  day: { seconds: DAY, rate: second => workingDay((second % DAY) / HOURS, 7) },
  /** Six hours of a quiet site: a class of students, and later a press release. */
  burst: {
    seconds: 6 * HOURS,
    rate: second =>
      0.05 +
      plateau(second, 1 * HOURS, 1.7 * HOURS, 60, 6) +
      plateau(second, 3.5 * HOURS, 4 * HOURS, 20, 12) * Math.exp(-Math.max(0, second - 3.6 * HOURS) / 1500),
  },
  /** A week from Monday: five working days, one of them with a course, and a weekend. */
  week: {
    seconds: 7 * DAY,
    rate: second => {
      const [day, hour] = [Math.floor(second / DAY), (second % DAY) / HOURS];
      const course = day === 2 ? plateau(second % DAY, 9.5 * HOURS, 11.5 * HOURS, 300, 7) : 0;
      return day < 5 ? workingDay(hour, 4) + course : workingDay(hour, 0.7);
    },
  },
} satisfies Record<string, { readonly seconds: number; readonly rate: (second: number) => number }>;

type BuiltIn = keyof typeof SHAPES;

export const BUILT_INS: readonly string[] = Object.keys(SHAPES);

export function isBuiltIn(name: string): name is BuiltIn {
  return BUILT_INS.includes(name);
}

/** A built-in trace. The seed draws the requests of each second (Poisson) and a drift of some per cent. */
export function builtInTrace(name: BuiltIn, seed: string): Trace {
  const { seconds, rate } = SHAPES[name];
  const random = createRandom(`trace ${seed}`).fork(name);
  let drift = 1;
  const counts = Uint32Array.from({ length: seconds }, (_, second) => {
    if (second % 60 === 0) drift = 1 + 0.9 * (drift - 1) + 0.1 * (random.next() - 0.5);
    return poisson(random, rate(second) * drift);
  });
  return createTrace({ name: `the built-in trace ${name}` }, counts);
}

/** From 8 to 19 o'clock about `peak`, at night little. */
function workingDay(hour: number, peak: number): number {
  const day = 1 / (1 + Math.exp(-1.6 * (hour - 8.5))) / (1 + Math.exp(1.2 * (hour - 18.5)));
  const noon = 1 - 0.35 * Math.exp(-((hour - 12.7) ** 2) / 0.5);
  return peak * (0.02 + 0.98 * day * noon);
}

/** `height` from one moment to another, with slopes of so many seconds. */
function plateau(second: number, from: number, until: number, slope: number, height: number): number {
  const rise = Math.min(1, Math.max(0, (second - from) / slope));
  const fall = Math.min(1, Math.max(0, (until - second) / slope));
  return height * Math.min(rise, fall);
}

/** A number of events of which `mean` are expected (Knuth's way; the means here are small). */
function poisson(random: Random, mean: number): number {
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random.next(); product > limit; product *= random.next()) count++;
  return count;
}
