import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { loadConfig, parseConfig } from '../../src/config/load.ts';
import { isUserError } from '../../src/errors.ts';

const manualFile = fileURLToPath(new URL('fixtures/manual.conf', import.meta.url));
const manual = readFileSync(manualFile, 'utf8');

const directory = mkdtempSync(join(tmpdir(), 'balancer-config-'));
after(() => rmSync(directory, { recursive: true }));

const TABLE = '[LOAD TABLE]\n1 0 1\n';
const MASTER = '[MASTER]\npoll_interval = 1\nserver_status_url = http://localhost/server-status\n';
const SLAVE = '[SLAVE]\ninstance_type = m5.large\nspot_bid = 0.1\n';
const GOOD = TABLE + MASTER + SLAVE;

function problemsOf(text: string): readonly string[] {
  return parseConfig('F', text).problems;
}

function warningsOf(text: string): readonly string[] {
  return parseConfig('F', text).warnings;
}

describe("the manual's own file", () => {
  it('is accepted without a problem or a warning', async () => {
    const { config, warnings } = await loadConfig(manualFile);
    assert.deepEqual(warnings, []);
    assert.deepEqual(config, {
      file: manualFile,
      loadTable: [
        [0.1, 0, 1],
        [0.5, 0, 2],
        [1, 1, 3],
        [2, 2, 4],
        [5, 3, 6],
        [6, 4, 6],
        [7, 5, 7],
        [10, 6, 8],
        [15, 8, 8],
      ].map(([requestsPerSecond, min, max]) => ({ requestsPerSecond, min, max })),
      master: {
        pollInterval: 30_000,
        serverStatusUrl: 'http://localhost/server-status',
        farm: 'file',
        farmList: '/var/lib/gbrowse-aws-balancer/farm/slaves',
        stateDirectory: '/var/lib/gbrowse-aws-balancer/state',
        reloadCommand: 'auto',
        drainTime: 60_000,
        overload: 'climb',
        releaseAfter: 'never',
      },
      slave: {
        instanceTypes: ['m1.large'],
        spotBid: 0.1,
        ports: [8101],
        region: 'us-west-2',
        imageId: 'GBrowse-2.54',
        imageOwners: ['self'],
        dataSnapshots: [],
        bootTimeout: 600_000,
        orphanTimeout: 3_600_000,
        sshUser: 'admin',
        onDemand: 0,
      },
    });
  });

  it('means the same with any line end, a byte order mark, tabs and no final newline', () => {
    const { config } = parseConfig('F', manual);
    for (const variant of [
      manual.replaceAll('\n', '\r\n'),
      manual.replaceAll('\n', '\r'),
      `\uFEFF${manual}`,
      manual.replaceAll(/ +/g, '\t'),
      manual.trimEnd(),
      manual.replaceAll(/\[.*\]/g, heading => heading.toLowerCase()),
      manual.replaceAll(/^(?=\d)/gm, '  '),
    ]) {
      const read = parseConfig('F', variant);
      assert.deepEqual([read.problems, read.warnings], [[], []]);
      assert.deepEqual(read.config, config);
    }
  });
});

it("the original's own test configuration is accepted", () => {
  const { config, problems } = parseConfig(
    'F',
    `[LOAD TABLE]
0.01 0 1
0.5  0 2
1.0  1 4
5.0  3 6
10.0 6 8
[MASTER]
poll_interval = 0.5
server_status_url = http://localhost:8000/server-status
[SLAVE]
instance_type = m1.large
spot_bid = 0.08
`,
  );
  assert.deepEqual(problems, []);
  assert.deepEqual(
    config?.loadTable.map(row => [row.requestsPerSecond, row.min, row.max]),
    [
      [0.01, 0, 1],
      [0.5, 0, 2],
      [1, 1, 4],
      [5, 3, 6],
      [10, 6, 8],
    ],
  );
  assert.deepEqual([config?.master.pollInterval, config?.slave.spotBid], [30_000, 0.08]);
});

describe('values', () => {
  const accepted: [section: 'MASTER' | 'SLAVE', line: string, key: string, value: unknown][] = [
    ['MASTER', 'poll_interval = .05', 'pollInterval', 3000],
    ['MASTER', 'server_status_url = https://[::1]:8443/s?a=b', 'serverStatusUrl', 'https://[::1]:8443/s?a=b'],
    ['MASTER', 'name = gbrowse @ Zürich/1', 'name', 'gbrowse @ Zürich/1'],
    [
      'MASTER',
      'renderfarm_conf = /etc/gbrowse/renderfarm.conf',
      'renderfarmConf',
      '/etc/gbrowse/renderfarm.conf',
    ],
    ['MASTER', 'reload_command = systemctl reload apache2', 'reloadCommand', 'systemctl reload apache2'],
    ['MASTER', 'drain_time = 0', 'drainTime', 0],
    [
      'MASTER',
      'databases = /var/lib/gbrowse2/databases  /srv/genomes',
      'databases',
      ['/var/lib/gbrowse2/databases', '/srv/genomes'],
    ],
    [
      'SLAVE',
      'instance_type = m5.large c7i-flex.2xlarge u-6tb1.metal c7i.metal-24xl',
      'instanceTypes',
      ['m5.large', 'c7i-flex.2xlarge', 'u-6tb1.metal', 'c7i.metal-24xl'],
    ],
    ['SLAVE', 'spot_bid = 1.5', 'spotBid', 1.5],
    ['SLAVE', 'ports = 8101  8102\t8103 # three', 'ports', [8101, 8102, 8103]],
    ['SLAVE', 'region = us-gov-west-1', 'region', 'us-gov-west-1'],
    ['SLAVE', 'image_id = ami-0123456789abcdef0', 'imageId', 'ami-0123456789abcdef0'],
    ['SLAVE', 'image_owner = self 123456789012', 'imageOwners', ['self', '123456789012']],
    ['SLAVE', 'data_snapshots = snap-12345 snap-abcdef', 'dataSnapshots', ['snap-12345', 'snap-abcdef']],
    ['SLAVE', 'availability_zone = us-west-2a', 'availabilityZone', 'us-west-2a'],
    ['SLAVE', 'availability_zone = us-west-2-lax-1a', 'availabilityZone', 'us-west-2-lax-1a'],
    ['SLAVE', 'subnet = subnet-0123456789abcdef0', 'subnet', 'subnet-0123456789abcdef0'],
    ['SLAVE', 'security_group = sg-12345678', 'securityGroup', 'sg-12345678'],
    ['SLAVE', 'boot_timeout = 2.5', 'bootTimeout', 150_000],
    ['SLAVE', 'orphan_timeout = 90', 'orphanTimeout', 5_400_000],
    ['SLAVE', 'ssh_key = John_Doe_default', 'sshKey', 'John_Doe_default'],
    ['SLAVE', 'ssh_user = ubuntu', 'sshUser', 'ubuntu'],
  ];
  for (const [section, line, key, value] of accepted) {
    it(`accepts ${line}`, () => {
      const name = line.replace(/ =.*/, '');
      const text = GOOD.replace(new RegExp(`^${name} =.*\n`, 'm'), '').replace(
        `[${section}]\n`,
        `$&${line}\n`,
      );
      const { config, problems, warnings } = parseConfig('F', text);
      assert.deepEqual([problems, warnings], [[], []]);
      const options = new Map<string, unknown>(
        Object.entries(section === 'MASTER' ? { ...config?.master } : { ...config?.slave }),
      );
      assert.deepEqual(options.get(key), value);
    });
  }

  const minutes = 'expected a number of minutes from 0.001 to 1440, such as 0.5';
  const url = 'expected an http or https URL, such as http://localhost/server-status';
  const path = 'expected an absolute path';
  const tag = 'expected letters, digits, spaces and any of _ . : / = + - @, at most 256 characters';
  const types = 'expected space-delimited EC2 instance types, each once, such as m5.large';
  const bid = 'expected a number of US dollars above 0.001 and at most 1000, such as 0.10';
  const ports = 'expected space-delimited port numbers from 1 to 65535, each once';
  const zone = 'expected an availability zone such as us-west-2a';
  const owners =
    'expected space-delimited account ids of 12 digits, self, amazon or aws-marketplace, each once';
  const snapshots = 'expected space-delimited EBS snapshot ids, each once, such as snap-0123456789abcdef0';
  const group = 'expected the id or the name of a security group, such as sg-0123456789abcdef0';

  const refused: [section: string, line: string, message: string][] = [
    [
      'MASTER',
      'external_ip = 300.1.1.1',
      'external_ip is "300.1.1.1", expected an IPv4 address, which is how slaves are reached',
    ],
    [
      'MASTER',
      'external_ip = 2001:db8::1',
      'external_ip is "2001:db8::1", expected an IPv4 address, which is how slaves are reached',
    ],
    [
      'MASTER',
      'external_ip = gbrowse.org',
      'external_ip is "gbrowse.org", expected an IPv4 address, which is how slaves are reached',
    ],
    ['MASTER', 'poll_interval = 0', `poll_interval is "0", ${minutes}`],
    ['MASTER', 'poll_interval = -1', `poll_interval is "-1", ${minutes}`],
    ['MASTER', 'poll_interval = abc', `poll_interval is "abc", ${minutes}`],
    ['MASTER', 'poll_interval = 0,5', `poll_interval is "0,5", ${minutes}`],
    ['MASTER', 'poll_interval = 1441', `poll_interval is "1441", ${minutes}`],
    ['MASTER', 'poll_interval = 30s', `poll_interval is "30s", ${minutes}`],
    ['MASTER', 'server_status_url = localhost', `server_status_url is "localhost", ${url}`],
    ['MASTER', 'server_status_url = ftp://localhost/', `server_status_url is "ftp://localhost/", ${url}`],
    ['MASTER', 'server_status_url = ftp://me:Plugh@host/', `server_status_url is "…@host/", ${url}`],
    ['MASTER', 'name = a*', `name is "a*", ${tag}`],
    ['MASTER', `name = ${'x'.repeat(257)}`, `name is "${'x'.repeat(60)}…", ${tag}`],
    ['MASTER', 'name = \u001b[31m', `name is "\uFFFD[31m", ${tag}`],
    ['MASTER', 'renderfarm_conf = renderfarm.conf', `renderfarm_conf is "renderfarm.conf", ${path}`],
    ['MASTER', 'drain_time = 3601', 'drain_time is "3601", expected a number of seconds from 0 to 3600'],
    [
      'MASTER',
      'databases = ~/databases',
      'databases is "~/databases", expected space-delimited absolute paths, each once',
    ],
    ['SLAVE', 'instance_type = large', `instance_type is "large", ${types}`],
    ['SLAVE', 'instance_type = m5.large, m5.xlarge', `instance_type is "m5.large, m5.xlarge", ${types}`],
    ['SLAVE', 'instance_type = m5.large m5.large', `instance_type is "m5.large m5.large", ${types}`],
    ['SLAVE', 'spot_bid = 0.001', `spot_bid is "0.001", ${bid}`],
    ['SLAVE', 'spot_bid = $0.10', `spot_bid is "$0.10", ${bid}`],
    ['SLAVE', 'spot_bid = Infinity', `spot_bid is "Infinity", ${bid}`],
    ['SLAVE', 'spot_bid = 1e999', `spot_bid is "1e999", ${bid}`],
    ['SLAVE', 'ports = 0', `ports is "0", ${ports}`],
    ['SLAVE', 'ports = 65536', `ports is "65536", ${ports}`],
    ['SLAVE', 'ports = 8101,8102', `ports is "8101,8102", ${ports}`],
    ['SLAVE', 'ports = 8101 8101', `ports is "8101 8101", ${ports}`],
    ['SLAVE', 'region = us-west-2a', 'region is "us-west-2a", expected an AWS region such as us-west-2'],
    ['SLAVE', 'region = Oregon', 'region is "Oregon", expected an AWS region such as us-west-2'],
    ['SLAVE', 'image_owner = 1234', `image_owner is "1234", ${owners}`],
    ['SLAVE', 'data_snapshots = vol-12345', `data_snapshots is "vol-12345", ${snapshots}`],
    ['SLAVE', 'availability_zone = us-west-2', `availability_zone is "us-west-2", ${zone}`],
    [
      'SLAVE',
      'subnet = default',
      'subnet is "default", expected the id of a subnet, such as subnet-0123456789abcdef0',
    ],
    ['SLAVE', 'security_group = grün', `security_group is "grün", ${group}`],
    ['SLAVE', 'boot_timeout = 0', 'boot_timeout is "0", expected a number of minutes from 0.1 to 1440'],
    ['SLAVE', 'orphan_timeout = 0', 'orphan_timeout is "0", expected a number of minutes from 1 to 10080'],
    [
      'SLAVE',
      'ssh_key = schlüssel',
      'ssh_key is "schlüssel", expected the name of a key pair: at most 255 ASCII characters',
    ],
    ['SLAVE', 'ssh_user = -oProxyCommand', 'ssh_user is "-oProxyCommand", expected a login name'],
  ];
  for (const [section, line, message] of refused) {
    it(`refuses ${JSON.stringify(line.slice(0, 60))}`, () => {
      const name = line.replace(/ =.*/s, '');
      const text = GOOD.replace(new RegExp(`^${name} =.*\n`, 'm'), '').replace(
        `[${section}]\n`,
        heading => `${heading}${line}\n`,
      );
      const at = text.split('\n').indexOf(line) + 1;
      const { config, problems } = parseConfig('F', text);
      assert.deepEqual(problems, [`F:${at}: ${message}`]);
      assert.equal(config, undefined);
    });
  }
});

describe('the load table', () => {
  const sorted = parseConfig('F', `${MASTER}${SLAVE}[LOAD TABLE]\n  10\t6 8\n0.5 0 2 # low\n\n1.0 1 3`);

  it('may have its rows in any order and indented', () => {
    assert.deepEqual(
      sorted.config?.loadTable.map(row => row.requestsPerSecond),
      [0.5, 1, 10],
    );
  });

  const count = 'expected a whole number of slaves from 0 to 1000';
  const mistakes: [rows: string, ...problems: string[]][] = [
    ['1 2', 'F:2: a row of 2 columns, expected 3: requests/sec, min and max'],
    ['1', 'F:2: a row of 1 column, expected 3: requests/sec, min and max'],
    ['1 2 3 4', 'F:2: a row of 4 columns, expected 3: requests/sec, min and max'],
    ['O.5 0 1', 'F:2: requests/sec is "O.5", expected a number that is not negative, such as 0.5'],
    ['-1 0 1', 'F:2: requests/sec is "-1", expected a number that is not negative, such as 0.5'],
    ['1e999 0 1', 'F:2: requests/sec is "1e999", expected a number that is not negative, such as 0.5'],
    ['1 -1 1', `F:2: min is "-1", ${count}`],
    ['1 0 1.5', `F:2: max is "1.5", ${count}`],
    ['1 0 1001', `F:2: max is "1001", ${count}`],
    ['1 3 2', 'F:2: min is 3 and max is 2, expected a min that is not above the max'],
    ['0.5 0 1\n1 0 2\n0.50 0 3', 'F:4: a second row for 0.5 requests/sec, expected one (line 2)'],
    [
      'a b c\n1 2\n',
      'F:2: requests/sec is "a", expected a number that is not negative, such as 0.5',
      `F:2: min is "b", ${count}`,
      `F:2: max is "c", ${count}`,
      'F:3: a row of 2 columns, expected 3: requests/sec, min and max',
    ],
    ['', 'F: [LOAD TABLE] is empty, expected rows of requests/sec, min and max'],
    ['# 1 0 1', 'F: [LOAD TABLE] is empty, expected rows of requests/sec, min and max'],
    ['1 0 1\nspot_bid = 1', 'F:3: an option in [LOAD TABLE], expected a [MASTER] or [SLAVE] line above it'],
  ];
  for (const [rows, ...problems] of mistakes) {
    it(`reports ${JSON.stringify(rows)}`, () => {
      assert.deepEqual(problemsOf(`[LOAD TABLE]\n${rows}\n${MASTER}${SLAVE}`), problems);
    });
  }
});

describe('a mistake in the file', () => {
  const ALL = '[LOAD TABLE], [MASTER], [SLAVE]';
  const files: [what: string, text: string, ...problems: string[]][] = [
    [
      'a section whose name is misspelt, and so is missing',
      `[LOAD TABLE]\n1 0 1\n${MASTER}${SLAVE.replace('[SLAVE]', '[SLAVES]')}`,
      'F:6: unknown section "SLAVES", and there is no section [SLAVE]: did you mean [SLAVE]?',
    ],
    [
      'an empty file',
      '',
      `F: there is no section [LOAD TABLE], expected ${ALL}`,
      `F: there is no section [MASTER], expected ${ALL}`,
      `F: there is no section [SLAVE], expected ${ALL}`,
    ],
    [
      'the page of the manual, which lost its section lines',
      manual.replaceAll(/^\[.*\]\n/gm, ''),
      `F:2: a line above the first section, expected ${ALL} before it`,
      `F: there is no section [LOAD TABLE], expected ${ALL}`,
      `F: there is no section [MASTER], expected ${ALL}`,
      `F: there is no section [SLAVE], expected ${ALL}`,
    ],
    [
      'a missing option',
      `${TABLE}[MASTER]\n[SLAVE]\n`,
      'F: there is no poll_interval in [MASTER], expected a number of minutes from 0.001 to 1440, such as 0.5',
      'F: there is no instance_type in [SLAVE], expected space-delimited EC2 instance types, each once, such as m5.large',
      'F: there is no spot_bid in [SLAVE], expected a number of US dollars above 0.001 and at most 1000, such as 0.10',
    ],
    [
      'a required option without a value',
      GOOD.replace('spot_bid = 0.1', 'spot_bid = # 0.1'),
      'F:8: spot_bid has no value, expected a number of US dollars above 0.001 and at most 1000, such as 0.10',
    ],
    [
      'a line that is no option',
      `${GOOD}secret_key wJalrXUtnFEMI\n`,
      'F:9: not an option, expected NAME = VALUE or a # comment',
    ],
    [
      'a section line that is not closed',
      GOOD.replace('[SLAVE]', '[SLAVE'),
      'F:6: not a section, expected [NAME] at the start of the line',
    ],
    [
      'an indented section line',
      GOOD.replace('[SLAVE]', ' [SLAVE]'),
      'F:6: not a section, expected [NAME] at the start of the line',
    ],
  ];
  for (const [what, text, ...problems] of files) {
    it(`is reported: ${what}`, () => {
      assert.deepEqual(problemsOf(text), problems);
    });
  }

  it('never quotes a line that may be anything', () => {
    assert.doesNotMatch(problemsOf(`${GOOD}secret_key wJalrXUtnFEMI\n`).join('\n'), /wJalr/);
    assert.doesNotMatch(problemsOf(`secret_key = wJalrXUtnFEMI\n${GOOD}`).join('\n'), /wJalr/);
    assert.doesNotMatch(problemsOf(GOOD.replace('1 0 1', 'secret_key = wJalrXUtnFEMI')).join('\n'), /wJalr/);
    assert.doesNotMatch(warningsOf(`${GOOD}secret_key = wJalrXUtnFEMI\n`).join('\n'), /wJalr/);
  });

  it('is reported together with all others, in the order of the file, with status 2', async () => {
    const file = join(directory, 'bad.conf');
    writeFileSync(file, '[LOAD TABLE]\n1 2\n[SLAVE]\nspot_bid = x\nports = y\n[MASTER]\npoll_interval = z\n');
    await assert.rejects(loadConfig(file), error => {
      assert.ok(isUserError(error));
      assert.equal(error.exitStatus, 2);
      assert.deepEqual(
        error.message.split('\n').map(line => /^(.*?: \S+ \S+)/.exec(line.replace(file, 'F'))?.[1]),
        ['F:2: a row', 'F:4: spot_bid is', 'F:5: ports is', 'F:7: poll_interval is', 'F: there is'],
      );
      return true;
    });
  });

  it('does not flood the terminal when the file is something else altogether', async () => {
    const file = join(directory, 'book.conf');
    writeFileSync(file, `${GOOD}${'once upon a time\n'.repeat(5000)}`);
    await assert.rejects(loadConfig(file), error => {
      assert.ok(isUserError(error));
      const lines = error.message.split('\n');
      assert.equal(lines.length, 101);
      assert.equal(lines.at(-1), `${file}: and 4900 more`);
      return true;
    });
  });

  it('is a message and never a crash, whatever the text', () => {
    const pieces = [
      ...GOOD.split(/(?<=\n)/),
      'ports',
      '=',
      '[',
      ']',
      '#',
      ' ',
      '\n',
      '\r',
      '\0',
      '9',
      '\uD800',
    ];
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string()), { maxLength: 30 }), parts => {
        const { config, problems, warnings } = parseConfig('F', parts.join(''));
        assert.equal(config === undefined, problems.length > 0);
        for (const message of [...problems, ...warnings]) assert.match(message, /^F:(\d+:)? \P{C}+$/u);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a warning', () => {
  const warnings: [what: string, text: string, ...warnings: string[]][] = [
    [
      'a mistyped option',
      GOOD.replace('[SLAVE]', '[SLAVE]\nimage-id = x\nsunbet ='),
      'F:7: unknown option "image-id" in [SLAVE], did you mean "image_id"?',
      'F:8: unknown option "sunbet" in [SLAVE], did you mean "subnet"?',
    ],
    [
      'an option of the other section',
      `${GOOD}drain_time = 30\nrelod_command = none\n`,
      'F:9: unknown option "drain_time" in [SLAVE], it belongs in [MASTER]',
      'F:10: unknown option "relod_command" in [SLAVE], did you mean "reload_command" in [MASTER]?',
    ],
    [
      'an option that is like no other',
      `${GOOD}[MASTER]\nfoo = 1\n`,
      'F:10: unknown option "foo" in [MASTER], expected one of external_ip, poll_interval, server_status_url, load_log, load_match, name, renderfarm_conf, farm, farm_list, state_directory, reload_command, drain_time, overload, release_after, notify, databases',
    ],
    [
      'no server_status_url, for which there is a default',
      GOOD.replace(/^server_status_url.*\n/m, ''),
      'F: there is no server_status_url in [MASTER], so it is taken to be http://localhost/server-status',
    ],
    [
      'a blank server_status_url',
      GOOD.replace(/^server_status_url.*/m, 'server_status_url ='),
      'F:5: server_status_url has no value, so it is taken to be http://localhost/server-status',
    ],
    [
      'an option set twice, of which the last counts',
      `${GOOD}spot_bid = 0.2\n`,
      'F:9: spot_bid is set again, the value of line 9 counts',
    ],
    [
      'an option set again without a value, which sets nothing',
      `${GOOD}spot_bid =\n`,
      'F:9: spot_bid is set again, the value of line 8 counts',
    ],
    [
      'an unknown section',
      `${GOOD}[SLAVES]\nanything = 1\n[X]\n`,
      'F:9: unknown section "SLAVES", all of it is ignored, did you mean [SLAVE]?',
      'F:11: unknown section "X", all of it is ignored, expected [LOAD TABLE], [MASTER], [SLAVE]',
    ],
    [
      'text behind a section name',
      GOOD.replace('[SLAVE]', '[SLAVE] ports = 3'),
      'F:6: the text after [SLAVE] is ignored, expected a line of its own',
    ],
  ];
  for (const [what, text, ...expected] of warnings) {
    it(`is given for ${what}, and the file is accepted`, () => {
      const { config, warnings } = parseConfig('F', text);
      assert.deepEqual(warnings, expected);
      assert.ok(config);
    });
  }
});
