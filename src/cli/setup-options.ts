import type { OptionGroup } from './declaration.ts';
import { numberBetween } from './readers.ts';

/** The options of `setup` alone: answers to its questions. */
export const SETUP_GROUPS = [
  {
    title: 'Answers',
    options: [
      {
        name: 'region',
        value: 'REGION',
        commands: ['setup'],
        description: 'AWS region of the slaves, if this machine is not on EC2',
      },
      {
        name: 'profile',
        value: 'NAME',
        commands: ['setup'],
        description: "Profile of ~/.aws whose credentials are used, by root's commands and the service too",
      },
      {
        name: 'name',
        value: 'NAME',
        commands: ['setup'],
        description: 'Name by which this master owns its slaves (default: the host name)',
      },
      {
        name: 'instance_type',
        value: 'TYPES',
        commands: ['setup'],
        description: "Instance types of the slaves, space-delimited (default: today's cheapest)",
      },
      {
        name: 'spot_bid',
        value: 'DOLLARS',
        read: numberBetween(0.0011, 1000, 'of US dollars'),
        limited: true,
        commands: ['setup'],
        description: "The most that an hour of a slave may cost (default: from today's prices)",
      },
      {
        name: 'image_id',
        value: 'AMI',
        commands: ['setup'],
        description: 'AMI of the slaves, if there is one already; "image" makes one',
      },
      {
        name: 'subnet',
        value: 'ID',
        commands: ['setup'],
        description: 'Subnet of the slaves (default: those of the default VPC)',
      },
      {
        name: 'security_group',
        value: 'GROUP',
        commands: ['setup'],
        description: 'Security group of the slaves (default: the balancer creates one)',
      },
    ],
  },
] as const satisfies readonly OptionGroup[];
