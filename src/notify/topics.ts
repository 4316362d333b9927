import { MINUTE } from '../clock.ts';

/** What somebody is told about. */
export const TOPICS = [
  'launches',
  'load',
  'slaves',
  'budget-80',
  'budget-100',
  'farm-file',
  'image',
  'keys',
  'root',
] as const;

export type Topic = (typeof TOPICS)[number];

type About = {
  /** The trouble in a few words, for a subject. */
  readonly title: string;
  /** How long (ms) it has to last before anybody is told. */
  readonly after: number;
  /** What to do. */
  readonly advice: string;
  /** That it is over, in a sentence. */
  readonly over: string;
};

const CHECK = 'Run "gbrowse-aws-balancer check", which looks at everything that a launch needs';

export const ABOUT: Readonly<Record<Topic, About>> = {
  launches: {
    title: 'no slave can be launched',
    after: 0,
    advice: `${CHECK}. After a repair "service gbrowse-aws-balancer reload" tries at once.`,
    over: 'Slaves can be launched again.',
  },
  load: {
    title: 'the load is not known',
    after: 10 * MINUTE,
    advice:
      'The farm stays as it is until the load can be read. Run "gbrowse-aws-balancer check --topic mod_status" and see [MASTER] server_status_url.',
    over: 'The load is known again.',
  },
  slaves: {
    title: 'there are fewer slaves than the load needs',
    after: 15 * MINUTE,
    advice:
      '"gbrowse-aws-balancer status" says what it waits for. Where EC2 has no capacity or the price is above the bid, more types in [SLAVE] instance_type or a higher spot_bid help.',
    over: 'There are as many slaves as the load needs.',
  },
  'budget-80': {
    title: '80 % of the budget of the month are spent',
    after: 0,
    advice:
      'At 100 % all slaves are released until the next month (UTC). Raise [SLAVE] budget to prevent that.',
    over: 'Less than 80 % of the budget of the month are spent: a month has begun, or the budget was changed.',
  },
  'budget-100': {
    title: 'the budget of the month is used up',
    after: 0,
    advice: 'To have slaves again before the next month (UTC), raise [SLAVE] budget.',
    over: 'There is money to spend again: a month has begun, or the budget was changed.',
  },
  'farm-file': {
    title: 'somebody else changed the farm file',
    after: 0,
    advice:
      'The balancer has put it right. Find out who writes it; to have GBrowse draw locally, use "gbrowse-aws-balancer pause".',
    over: 'Nobody else has changed the farm file for an hour.',
  },
  image: {
    title: 'the image or a snapshot of the slaves is gone',
    after: 0,
    advice:
      'Set an existing one in [SLAVE] image_id or data_snapshots: "gbrowse-aws-balancer image" makes an image, "gbrowse-aws-balancer sync" makes snapshots.',
    over: 'Slaves can be launched from the image and the snapshots again.',
  },
  keys: {
    title: 'EC2 refuses the keys',
    after: 2 * MINUTE,
    advice:
      'Until they are accepted, nothing is launched and nothing is terminated. Run "gbrowse-aws-balancer check --topic credentials"; after new keys, restart the balancer (its slaves stay).',
    over: 'EC2 accepts the keys again.',
  },
  root: {
    title: "the part with root's rights is gone",
    after: 0,
    advice:
      'The balancer has ended and keeps its slaves, which cost money. Start it again: "service gbrowse-aws-balancer start".',
    over: 'The balancer runs and can write the farm file again.',
  },
};
