import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { COMMANDS } from '../../src/cli/commands.ts';
import { resolveOptions } from '../../src/cli/getopt.ts';
import { readOptions } from '../../src/cli/given.ts';
import { COMMAND_LINE, OPTIONS } from '../../src/cli/options.ts';
import { formatDocument, parseDocument } from '../../src/config/document.ts';
import { parseConfig } from '../../src/config/load.ts';
import { isAnswerTo, isErrorAnswer } from '../../src/ec2/answer.ts';
import { isUserError } from '../../src/errors.ts';
import { isListed, listedIn } from '../../src/farm/renderfarm.ts';
import { parseStatus } from '../../src/load/mod-status.ts';
import { withList } from '../farm/fixtures/with-list.ts';
import { mangled, mangledWords } from './mangle.ts';

/** Something that reads what strangers have written. */
export type Target = {
  readonly name: string;
  /** What it must do with any input; to be run so often. */
  readonly property: fc.IProperty<unknown>;
  /** Inputs of the property that have this text in it. */
  readonly having: (text: string) => unknown;
};

const MANUAL = readFileSync(new URL('../config/fixtures/manual.conf', import.meta.url), 'utf8');
const OPTION_OF_EACH = `[LOAD TABLE]\n0.5 0 1\n1 1 4\n[MASTER]\npoll_interval = 0.5\nserver_status_url = http://localhost/server-status\nname = a master\ndrain_time = 60\nreload_command = none\n[SLAVE]\ninstance_type = m5.large m6i.large\nspot_bid = 0.1\nports = 8101 8102\nregion = us-west-2\nimage_id = ami-0a254c1f7e93b8d60\ndata_snapshots = snap-0123456789abcdef0\nboot_timeout = 10\norphan_timeout = 60\nssh_key = gbrowse\nsubnet = subnet-0a6c1d9e\nsecurity_group = sg-0a6c1d9e\n`;
const STATUS = `localhost\nServerVersion: Apache/2.4.66 (Debian)\nRestartTime: Saturday, 22-Nov-2025 15:31:00 UTC\nServerUptimeSeconds: 4242\nTotal Accesses: 1234\nTotal kBytes: 4936\nUptime: 4242\nReqPerSec: .290901\nBusyWorkers: 1\nIdleWorkers: 49\nScoreboard: W____....\n`;
const FARM = `# of the administrator\n[GENERAL]\nslave_timeout = 45\nrenderfarm = 1\nremote renderer =\n\thttp://10.0.0.5:8101\n\thttp://10.0.0.6:8101\n\n[yeast]\nremote renderer = none\n#include "more.conf"\n##sequence-region\nreference = chr1\n`;

const URLS = fc.array(
  fc.constantFrom('http://10.0.0.5:8101', 'http://10.0.0.6:8102', 'http://[fd00::5]:8101'),
  { maxLength: 3 },
);

const configuration = fc.property(mangled([MANUAL, OPTION_OF_EACH, '']), text => {
  const { config, problems, warnings } = parseConfig('FILE', text);
  assert.equal(config === undefined, problems.length > 0, 'a configuration, or what is wrong with it');
  for (const message of [...problems, ...warnings]) assert.match(message, /^FILE(:\d+)?: [\s\S]+/);
  assert.equal(formatDocument(parseDocument(text)), text, 'a document says the same again');
  if (config === undefined) return;
  const { master, slave, loadTable } = config;
  const numbers = [
    master.pollInterval,
    master.drainTime,
    slave.spotBid,
    slave.bootTimeout,
    slave.orphanTimeout,
  ];
  for (const row of loadTable) numbers.push(row.requestsPerSecond, row.min, row.max);
  assert.ok(numbers.every(it => Number.isFinite(it) && it >= 0) && master.pollInterval > 0);
  assert.ok(loadTable.length > 0 && loadTable.every(({ min, max }) => min <= max));
});

const modStatus = fc.property(mangled([STATUS, '']), text => {
  const reading = orUserError(() => parseStatus(text));
  if (reading === undefined) return;
  assert.ok(Number.isSafeInteger(reading.totalAccesses) && reading.totalAccesses >= 0);
  assert.ok(Number.isSafeInteger(reading.serverUptimeSeconds) && reading.serverUptimeSeconds >= 0);
});

const farmFile = fc.property(mangled([FARM, '']), URLS, (text, some) => {
  const urls = [...new Set(some)];
  assert.ok(listedIn(text).every(url => url !== ''));
  const written = withList(text, urls);
  assert.deepEqual(listedIn(written), urls, 'GBrowse reads what was written');
  assert.ok(isListed(written, urls), 'what was written need not be written again');
  assert.deepEqual(listedIn(withList(written, [])), [], 'and can be taken out again');
});

const WORDS = [
  ...COMMANDS.map(it => it.name),
  ...OPTIONS.flatMap(({ name }) => [
    `--${name}`,
    `-${name}`,
    `--${name.slice(0, 3)}`,
    `--${name}=value`,
    `-${name[0]}`,
  ]),
  '/etc/gbrowse2/aws_balancer.conf',
  'value',
  '3',
  '--',
  '-',
  '',
];

const commandLine = fc.property(mangledWords(WORDS), argv => {
  const resolved = orUserError(() => resolveOptions(argv, COMMAND_LINE), 2);
  if (resolved === undefined) return;
  const name = COMMANDS.find(it => it.name === resolved.command)?.name ?? 'run';
  const given = orUserError(() => readOptions(name, resolved.args), 2);
  for (const value of Object.values(given ?? {})) assert.ok(value !== undefined && !Number.isNaN(value));
});

const ANSWER =
  '<?xml version="1.0" encoding="UTF-8"?>\n<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">\n<reservationSet/>\n</DescribeInstancesResponse>';

const ec2Answer = fc.property(mangled([ANSWER, '']), text => {
  const isBelieved = isAnswerTo('DescribeInstances', text);
  if (isBelieved) assert.ok(text.trimEnd().endsWith('</DescribeInstancesResponse>'), 'a whole one');
  assert.ok(!(isBelieved && isErrorAnswer(text)), 'an answer is not an error');
});

export const TARGETS: readonly Target[] = [
  { name: 'the configuration file', property: configuration, having: text => [text] },
  { name: 'mod_status', property: modStatus, having: text => [text] },
  { name: 'the farm file', property: farmFile, having: text => [text, []] },
  { name: 'the command line', property: commandLine, having: text => [['--conf', text]] },
  { name: 'answers of EC2', property: ec2Answer, having: text => [text] },
];

/** What the reader gives, or undefined where it refuses with a message for people. Anything else that it throws is a bug. */
function orUserError<T>(read: () => T, exitStatus?: number): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!isUserError(error)) throw error;
    assert.ok(error.message.trim() !== '');
    if (exitStatus !== undefined) assert.equal(error.exitStatus, exitStatus);
    return undefined;
  }
}
