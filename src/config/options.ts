import { MINUTE, SECOND } from '../clock.ts';
import { parseAddress } from './address.ts';
import type { MasterConfig, SlaveConfig } from './config.ts';
import {
  durationIn,
  listOf,
  matching,
  oneOf,
  type Parse,
  parseCount,
  parseNumber,
  parsePattern,
  parseUrl,
} from './values.ts';

/** One option of the file, for the reader of the file and for the documentation. */
export type Option<T> = {
  readonly name: string;
  /** Its purpose, in a sentence. */
  readonly meaning: string;
  /** The form of a value; completes "expected …". */
  readonly expected: string;
  readonly whenUnset: WhenUnset;
  /** The manual requires it, and the original had a default: that is used, with a warning. */
  readonly warnsUnset?: true;
  readonly parse: Parse<T>;
};

/** The value that is used instead, as the file would have it, or what is done instead, in words. */
export type WhenUnset = 'required' | { readonly default: string } | { readonly otherwise: string };

/** The options of a section by their place in the configuration: an option without a value to fall back on is optional. */
export type OptionsOf<C> = {
  readonly [K in keyof C]-?: Option<NonNullable<C[K]>> & {
    readonly whenUnset: undefined extends C[K]
      ? { readonly otherwise: string }
      : 'required' | { readonly default: string };
  };
};

const path = matching(/^\//);
const anyText = matching(/\S/);

const MASTER: OptionsOf<MasterConfig> = {
  externalIp: {
    name: 'external_ip',
    meaning: 'The address of the master as the slaves see it, for their firewall rule.',
    expected: 'an IPv4 address, which is how slaves are reached',
    whenUnset: { otherwise: 'taken from EC2 if the master runs there, else looked up with a web service' },
    parse: parseAddress,
  },
  pollInterval: {
    name: 'poll_interval',
    meaning: 'How often the load is read and the number of slaves adjusted, in minutes.',
    expected: 'a number of minutes from 0.001 to 1440, such as 0.5',
    whenUnset: 'required',
    parse: durationIn(MINUTE, 0.001, 1440),
  },
  serverStatusUrl: {
    name: 'server_status_url',
    meaning: "The URL of Apache's mod_status on the master.",
    expected: 'an http or https URL, such as http://localhost/server-status',
    whenUnset: { default: 'http://localhost/server-status' },
    warnsUnset: true,
    parse: parseUrl,
  },
  loadLog: {
    name: 'load_log',
    meaning:
      'An access log of Apache: its lines are the load, instead of all requests that mod_status counts. The balancer reads it as its own user, a member of the group adm.',
    expected: 'the absolute path of an access log, such as /var/log/apache2/access.log',
    whenUnset: { otherwise: 'all requests that mod_status counts' },
    parse: path,
  },
  loadMatch: {
    name: 'load_match',
    meaning: 'Only lines of load_log whose request line matches this are counted.',
    expected: 'a regular expression for a request line such as GET /cgi-bin/gb2/gbrowse/yeast/ HTTP/1.1',
    whenUnset: { otherwise: 'every line' },
    parse: parsePattern,
  },
  name: {
    name: 'name',
    meaning: 'The value of the ownership tag. Each master of an account needs its own.',
    // In a filter's value, * and ? are wildcards to EC2, so they would match the slaves of other masters.
    expected: 'letters, digits, spaces and any of _ . : / = + - @, at most 256 characters',
    whenUnset: { otherwise: 'the EC2 instance id, else the host name' },
    parse: matching(/^[\p{L}\p{N} _.:/=+@-]{1,256}$/u),
  },
  renderfarmConf: {
    name: 'renderfarm_conf',
    meaning: 'The farm file to write.',
    expected: 'an absolute path',
    whenUnset: {
      otherwise: 'beside GBrowse.conf, found in /etc/gbrowse2, /etc/gbrowse or /opt/gbrowse/etc',
    },
    parse: path,
  },
  farm: {
    name: 'farm',
    meaning:
      'How GBrowse learns about slaves: file lists them in renderfarm.conf; live lets GBrowse read a list that the balancer keeps.',
    expected: 'file or live',
    whenUnset: { default: 'file' },
    parse: oneOf(['file', 'live']),
  },
  farmList: {
    name: 'farm_list',
    meaning: "The list of slaves with farm = live, in a directory of the balancer's user.",
    expected: 'an absolute path',
    whenUnset: { default: '/var/lib/gbrowse-aws-balancer/farm/slaves' },
    parse: matching(/^\/\S+$/),
  },
  stateDirectory: {
    name: 'state_directory',
    meaning:
      'Where the balancer keeps what it remembers across restarts, in files that only its user can read. A start as root creates it.',
    expected: 'an absolute path',
    whenUnset: { default: '/var/lib/gbrowse-aws-balancer/state' },
    parse: path,
  },
  reloadCommand: {
    name: 'reload_command',
    meaning:
      'How GBrowse is told about a changed farm, with farm = file: auto restarts its Apache gracefully where it stays in memory (FastCGI, mod_perl).',
    expected: 'auto, none or a command',
    whenUnset: { default: 'auto' },
    parse: anyText,
  },
  drainTime: {
    name: 'drain_time',
    meaning:
      "How long a slave stays alive after it has left the farm file, in seconds (GBrowse's slave_timeout is 45).",
    expected: 'a number of seconds from 0 to 3600',
    whenUnset: { default: '60' },
    parse: durationIn(SECOND, 0, 3600),
  },
  overload: {
    name: 'overload',
    meaning:
      'What to do when Apache is overloaded (no worker is idle, or it does not answer in time): climb counts the load one row of the table higher with every poll.',
    expected: 'climb or ignore',
    whenUnset: { default: 'climb' },
    parse: oneOf(['climb', 'ignore']),
  },
  releaseAfter: {
    name: 'release_after',
    meaning:
      'How long a slave beyond min is kept in case the load comes back: never releases slaves only above max, auto keeps them for four times what a boot and a drain take here.',
    expected: 'never, auto or a number of minutes from 0 to 1440',
    whenUnset: { default: 'never' },
    parse: value => oneOf(['never', 'auto'])(value) ?? durationIn(MINUTE, 0, 1440)(value),
  },
  notify: {
    name: 'notify',
    meaning:
      "A command for the shell, run as the balancer's user, that is told of a trouble that needs somebody, and when it is over: the message on standard input, SUBJECT and TOPIC in the environment.",
    expected: 'a command, such as mail -s "$SUBJECT" root',
    whenUnset: { otherwise: 'nobody is told' },
    parse: anyText,
  },
  databases: {
    name: 'databases',
    meaning: 'The directories that sync copies.',
    expected: 'space-delimited absolute paths, each once',
    whenUnset: { otherwise: "GBrowse's own databases directory" },
    parse: listOf(path),
  },
};

const SLAVE: OptionsOf<SlaveConfig> = {
  instanceTypes: {
    name: 'instance_type',
    meaning:
      'The EC2 instance types. With several, EC2 picks the capacity that is cheapest and least likely to be interrupted.',
    expected: 'space-delimited EC2 instance types, each once, such as m5.large',
    whenUnset: 'required',
    parse: listOf(matching(/^[a-z][a-z0-9]*(-[a-z0-9]+)*\.[a-z0-9]+(-[a-z0-9]+)*$/)),
  },
  spotBid: {
    name: 'spot_bid',
    meaning: 'The maximum price of a slave, in US dollars per hour.',
    // EC2 wants a MaxPrice above 0.001; no instance type costs as much as 1000.
    expected: 'a number of US dollars above 0.001 and at most 1000, such as 0.10',
    whenUnset: 'required',
    parse: parseBid,
  },
  budget: {
    name: 'budget',
    meaning:
      'The most that slaves may cost in a calendar month (UTC), in US dollars, their volumes included. When it is used up, nothing is launched and the slaves are released until the next month.',
    expected: 'a number of US dollars above 0 and at most 1000000, such as 40',
    whenUnset: { otherwise: 'no limit' },
    parse: parseBudget,
  },
  onDemand: {
    name: 'on_demand',
    meaning:
      'How many slaves of min may be bought on demand, at the full price, when spot has had no capacity within the bid for 5 minutes. They are given up when spot slaves serve in their place.',
    expected: 'a whole number from 0 to 1000',
    whenUnset: { default: '0' },
    parse: word => parseCount(word, 1000),
  },
  ports: {
    name: 'ports',
    meaning: 'The TCP ports that the slaves listen on.',
    expected: 'space-delimited port numbers from 1 to 65535, each once',
    whenUnset: { default: '8101' },
    parse: listOf(word => parseCount(word, 65535) || undefined),
  },
  region: {
    name: 'region',
    meaning: 'The AWS region of the slaves; needed only where the master is not on EC2.',
    expected: 'an AWS region such as us-west-2',
    whenUnset: { otherwise: 'the region of the master' },
    parse: matching(/^[a-z]+(-[a-z]+)+-\d{1,2}$/),
  },
  imageId: {
    name: 'image_id',
    meaning:
      'The AMI of the slaves, by id, name or part of its name ("gbrowse-aws-balancer image" makes one); if blank on EC2, the one that the master was started from.',
    expected: "an AMI's id or name",
    whenUnset: { otherwise: "the master's own image" },
    parse: anyText,
  },
  imageOwners: {
    name: 'image_owner',
    meaning: 'The accounts that an image given by name may come from.',
    expected: 'space-delimited account ids of 12 digits, self, amazon or aws-marketplace, each once',
    whenUnset: { default: 'self' },
    parse: listOf(matching(/^(\d{12}|self|amazon|aws-marketplace)$/)),
  },
  dataSnapshots: {
    name: 'data_snapshots',
    meaning:
      'The EBS snapshots to attach to each slave. sync writes them; slaves with other snapshots are replaced.',
    expected: 'space-delimited EBS snapshot ids, each once, such as snap-0123456789abcdef0',
    whenUnset: { default: '' },
    parse: listOf(matching(/^snap-[0-9a-f]+$/)),
  },
  availabilityZone: {
    name: 'availability_zone',
    meaning: 'The zone that all slaves run in.',
    expected: 'an availability zone such as us-west-2a',
    whenUnset: { otherwise: 'any zone of the region' },
    parse: matching(/^[a-z]+(-[a-z]+)+-\d{1,2}([a-z]|(-[a-z0-9]+)+)$/),
  },
  subnet: {
    name: 'subnet',
    meaning: 'The VPC subnet that all slaves run in.',
    expected: 'the id of a subnet, such as subnet-0123456789abcdef0',
    whenUnset: { otherwise: "the master's own subnet where it runs in EC2, else any of the default VPC" },
    parse: matching(/^subnet-[0-9a-f]+$/),
  },
  securityGroup: {
    name: 'security_group',
    meaning: 'The security group of the slaves. It must allow the master to connect to the ports.',
    expected: 'the id or the name of a security group, such as sg-0123456789abcdef0',
    whenUnset: { otherwise: 'the balancer creates one, and deletes it at the end' },
    parse: matching(/^[a-zA-Z0-9 ._\-:/()#,@[\]+=&;{}!$*]{1,255}$/),
  },
  bootTimeout: {
    name: 'boot_timeout',
    meaning: 'A slave that is not ready after this many minutes is replaced.',
    expected: 'a number of minutes from 0.1 to 1440',
    whenUnset: { default: '10' },
    parse: durationIn(MINUTE, 0.1, 1440),
  },
  orphanTimeout: {
    name: 'orphan_timeout',
    meaning: 'A slave that nobody has contacted for this many minutes powers itself off.',
    expected: 'a number of minutes from 1 to 10080',
    whenUnset: { default: '60' },
    parse: durationIn(MINUTE, 1, 10_080),
  },
  sshKey: {
    name: 'ssh_key',
    meaning:
      'The AWS key pair for logging in to the slaves ("gbrowse-aws-balancer ssh"), from the master only.',
    expected: 'the name of a key pair: at most 255 ASCII characters',
    whenUnset: { otherwise: 'no login' },
    parse: matching(/^[ -~]{1,255}$/),
  },
  sshUser: {
    name: 'ssh_user',
    meaning: "The AMI's login.",
    expected: 'a login name',
    whenUnset: { default: 'admin' },
    parse: matching(/^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/),
  },
};

/** Every option that the file may have, by section. A new one is an entry here (and its type in `config.ts`). */
export const OPTIONS = { MASTER, SLAVE } as const;

export type SectionWithOptions = keyof typeof OPTIONS;

/** A section's options, in the order of the documentation. */
export function optionsOf(section: SectionWithOptions): readonly Option<unknown>[] {
  return Object.values(OPTIONS[section]);
}

function parseBid(text: string): number | undefined {
  const dollars = parseNumber(text);
  return dollars !== undefined && dollars > 0.001 && dollars <= 1000 ? dollars : undefined;
}

function parseBudget(text: string): number | undefined {
  const dollars = parseNumber(text);
  return dollars !== undefined && dollars > 0 && dollars <= 1_000_000 ? dollars : undefined;
}
