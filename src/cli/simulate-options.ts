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
        description: 'Load to replay: the requests in each second, one number a line; gzip or not',
      },
      {
        name: 'trace',
        value: 'day|burst|week',
        read: oneOf('day', 'burst', 'week'),
        limited: true,
        commands: ['simulate'],
        description: 'Load to replay that comes with the program; the day, when nothing else is given',
      },
      {
        name: 'speed',
        value: 'TIMES',
        read: numberBetween(0.01, 1000),
        limited: true,
        commands: ['simulate'],
        default: '1',
        description: 'Replay the load so many times as fast: more requests a second, in less time',
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
        description: 'How long a slave takes from its launch until it answers; 60-120 draws it from a range',
      },
      {
        name: 'price',
        value: 'DOLLARS|FILE',
        limited: true,
        commands: ['simulate'],
        description:
          'Spot price an hour, or what "aws ec2 describe-spot-price-history" has printed; else the spot_bid',
      },
      {
        name: 'interruptions',
        value: 'RATE',
        read: numberBetween(0, 60, 'of interruptions an hour'),
        limited: true,
        commands: ['simulate'],
        default: '0',
        description: 'How often EC2 takes a slave back, an instance and hour: 0.01 is once in 100 hours',
      },
      {
        name: 'seed',
        value: 'TEXT',
        commands: ['simulate'],
        default: '1',
        description: 'What chance depends on: the same seed gives the same answer',
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
        description: 'Slaves of the fixed farm to compare with; else what the highest load needs',
      },
      {
        name: 'compare',
        value: 'FILE',
        commands: ['simulate'],
        description: 'A second configuration file, to put beside the first',
      },
      {
        name: 'suggest',
        commands: ['simulate'],
        description: 'Propose a load table for this load, and say how sure that is',
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
