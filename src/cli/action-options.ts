import { DAY, MINUTE } from '../clock.ts';
import type { OptionGroup } from './declaration.ts';
import {
  absolutePath,
  amiOrPresent,
  countBetween,
  keyArn,
  month,
  numberBetween,
  timeBetween,
} from './readers.ts';

/** Options that change what a command does; those of `setup` and `simulate` have files of their own. */
export const ACTIONS = {
  title: 'Actions',
  options: [
    {
      name: 'background',
      original: true,
      commands: ['run'],
      description: 'Run in the background, as a daemon',
    },
    {
      name: 'kill',
      original: true,
      commands: ['run'],
      description: 'Stop the balancer with this --pidfile, and wait until it has cleaned up',
    },
    {
      name: 'keep-slaves',
      commands: ['run'],
      description: 'With --kill: leave the slaves and the farm file for the next start to take over',
    },
    {
      name: 'dry-run',
      commands: ['run', 'sync', 'image', 'setup'],
      description: 'Show what would be done, and change nothing',
    },
    {
      name: 'mysql',
      value: 'DIR',
      original: true,
      commands: ['sync'],
      description:
        'Copy the data directory of MySQL or MariaDB too; the server is stopped for the last, short pass',
    },
    {
      name: 'postgres',
      value: 'DIR',
      original: true,
      commands: ['sync'],
      description: 'Copy a data directory of PostgreSQL too, or the directory of all clusters',
    },
    {
      name: 'keep',
      value: 'N',
      read: countBetween(1, 1000),
      limited: true,
      commands: ['sync', 'image'],
      default: '3',
      description:
        'How many sets of data snapshots, or images, to keep; older ones that no configuration names are deleted',
    },
    {
      name: 'from',
      value: 'AMI',
      read: amiOrPresent,
      commands: ['image'],
      description:
        "The AMI to start from (default: the newest official one of this master's distribution); present: the current one of the slaves",
    },
    {
      name: 'script',
      value: 'FILE',
      read: absolutePath,
      commands: ['image'],
      description: 'Script to run last, as root, on the machine that becomes the image',
    },
    {
      name: 'watch',
      commands: ['status'],
      description: 'Show it again every two seconds, until Ctrl-C or q',
    },
    {
      name: 'since',
      value: 'TIME',
      read: timeBetween(MINUTE, 60 * DAY),
      limited: true,
      commands: ['status'],
      description:
        'Show the history of this time, such as 12h or 7d (at most 60 days), instead of the present',
    },
    {
      name: 'month',
      value: 'YYYY-MM',
      read: month,
      limited: true,
      commands: ['report'],
      description: 'Report on this month (UTC) instead of the current one',
    },
    {
      name: 'for',
      value: 'TIME',
      read: timeBetween(MINUTE, 366 * DAY),
      limited: true,
      commands: ['pause'],
      description: 'End the pause after this time, such as 90m, 2h or 1d (default: not before "resume")',
    },
    {
      name: 'release',
      commands: ['pause'],
      description: 'Release the slaves; without this option they are kept, and go on costing money',
    },
    {
      name: 'identity',
      value: 'FILE',
      read: absolutePath,
      commands: ['logs', 'ssh'],
      description:
        'Private key of the key pair (default: ~/.ssh/NAME.pem or ~/.ssh/NAME, else the keys that ssh finds itself)',
    },
    {
      name: 'lines',
      value: 'N',
      read: countBetween(1, 100_000),
      limited: true,
      commands: ['logs'],
      default: '50',
      description: 'How many of the last lines of each log to show',
    },
    {
      name: 'follow',
      commands: ['logs'],
      description: 'Go on with new lines as they come, until Ctrl-C',
    },
    {
      name: 'topic',
      value: 'NAME',
      commands: ['check'],
      description: 'Check only the topics that begin with this, such as configuration or mod_status',
    },
    {
      name: 'render',
      commands: ['check'],
      description: 'Also draw one track of every data source, on a slave if the farm has one',
    },
    {
      name: 'notify',
      commands: ['check'],
      description: 'Also send a test message with [MASTER] notify',
    },
    {
      name: 'timeout',
      value: 'SECONDS',
      read: numberBetween(2, 600, 'of seconds'),
      limited: true,
      commands: ['check'],
      default: '20',
      description: 'How long to wait for each answer',
    },
    {
      name: 'install',
      commands: ['farm'],
      description: "Let GBrowse read the balancer's list of slaves directly",
    },
    {
      name: 'remove',
      commands: ['farm'],
      description: 'Remove those lines from the farm file; other slaves in it stay',
    },
    {
      name: 'yes',
      commands: ['gc', 'setup'],
      description:
        'With gc: remove the leftovers, which are otherwise only listed; with setup: use every answer that it finds',
    },
    {
      name: 'all-masters',
      commands: ['gc'],
      description: 'Include the leftovers of every master in the account, in this region',
    },
    {
      name: 'commands',
      commands: ['iam-policy'],
      description: 'Print AWS CLI commands that give the policy to a role (on EC2) or a user (elsewhere)',
    },
    {
      name: 'sync',
      commands: ['check', 'iam-policy'],
      description: 'Also the permissions that sync needs: try them (check), or allow them (iam-policy)',
    },
    {
      name: 'image',
      commands: ['check', 'iam-policy'],
      description: 'Also the permissions that image needs: try them (check), or allow them (iam-policy)',
    },
    {
      name: 'kms-key',
      value: 'ARN',
      read: keyArn,
      commands: ['iam-policy'],
      description:
        "Also allow the use of this KMS key, the account's own, which encrypts the slaves' volumes",
    },
  ],
} as const satisfies OptionGroup;
