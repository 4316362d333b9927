import type { OptionGroup } from './declaration.ts';
import { countBetween, numberBetween, oneOf } from './readers.ts';

/** The options of `simulate` alone. */
export const SIMULATE_GROUPS = [
  {
    title: 'Load',
    options: [
      {
        name: 'log',
        value: 'FILE',
        isWord: true,
        commands: ['simulate'],
        description:
          'Access log to replay, gzip or not; more files may follow, in any order; - is the standard input',
      },
      {
        name: 'rates',
        value: 'FILE',
        commands: ['simulate'],
        description: 'Load to replay: the requests of each second, one number per line, gzip or not',
      },
      {
        name: 'trace',
        value: 'day|burst|week',
        read: oneOf('day', 'burst', 'week'),
        limited: true,
        commands: ['simulate'],
        description: 'Built-in load to replay (default: day)',
      },
      {
        name: 'speed',
        value: 'TIMES',
        read: numberBetween(0.01, 1000),
        limited: true,
        commands: ['simulate'],
        default: '1',
        description: 'Replay the load this many times faster: more requests per second, in less time',
      },
    ],
  },
  {
    title: 'Simulated Apache',
    options: [
      {
        name: 'workers',
        value: 'COUNT',
        read: countBetween(1, 100_000, 'of workers'),
        limited: true,
        commands: ['simulate'],
        description:
          'Let requests wait for one of so many workers of Apache, to see what overload changes (with --service-time)',
      },
      {
        name: 'service-time',
        value: 'SECONDS',
        read: numberBetween(0.001, 3600, 'of seconds'),
        limited: true,
        commands: ['simulate'],
        description: 'How long each request holds a worker (with --workers)',
      },
    ],
  },
  {
    title: 'Simulated spot market',
    options: [
      {
        name: 'boot-time',
        value: 'SECONDS',
        limited: true,
        commands: ['simulate'],
        default: '90',
        description:
          'How long a slave takes from its launch to its first answer; 60-120 draws it from a range',
      },
      {
        name: 'price',
        value: 'DOLLARS|FILE',
        limited: true,
        commands: ['simulate'],
        description:
          'Spot price per hour, or a file with the output of "aws ec2 describe-spot-price-history" (default: the spot_bid)',
      },
      {
        name: 'interruptions',
        value: 'RATE',
        read: numberBetween(0, 60, 'of interruptions an hour'),
        limited: true,
        commands: ['simulate'],
        default: '0',
        description: 'How often EC2 interrupts a slave, per instance and hour: 0.01 is once in 100 hours',
      },
      {
        name: 'seed',
        value: 'TEXT',
        commands: ['simulate'],
        default: '1',
        description: 'Seed of the random numbers: the same seed gives the same result',
      },
    ],
  },
  {
    title: 'Result',
    options: [
      {
        name: 'fixed',
        value: 'COUNT',
        read: countBetween(0, 1000, 'of slaves'),
        limited: true,
        commands: ['simulate'],
        description: 'Size of the fixed farm to compare with (default: what the highest load needs)',
      },
      {
        name: 'compare',
        value: 'FILE',
        commands: ['simulate'],
        description: 'A second configuration file, to compare with the first',
      },
      {
        name: 'suggest',
        commands: ['simulate'],
        description: 'Suggest a load table for this load, and say how certain it is',
      },
      {
        name: 'html',
        value: 'FILE',
        commands: ['simulate'],
        description: 'Write a page with charts, for a browser',
      },
    ],
  },
] as const satisfies readonly OptionGroup[];
