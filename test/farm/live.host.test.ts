import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { createFarm } from '../../src/farm/create.ts';
import {
  installLive,
  isLive,
  makeListDirectory,
  removeLive,
  withLive,
  withoutLive,
} from '../../src/farm/live.ts';
import { livePerlLines } from '../../src/farm/live-perl.ts';
import { listedIn } from '../../src/farm/renderfarm.ts';
import { asRoot, directory as makeDirectory } from '../daemon/fixtures/run.ts';

const [A, B] = ['http://10.0.0.5:8101', 'http://10.0.0.6:8101'];
const LIST = '/var/lib/gbrowse-aws-balancer/farm/slaves';
const hasGBrowse = existsSync('/usr/share/perl5/Bio/Graphics/Browser2.pm');
const needsGBrowse = { skip: hasGBrowse ? false : 'GBrowse is not installed', timeout: 60_000 };

/** A GBrowse configuration with the line, and a process that has read it. */
function gbrowse(t: TestContext, own = ''): { list: string; run(...lines: string[]): string[] } {
  const here = makeDirectory(t);
  const [conf, list] = [path.join(here, 'conf'), path.join(here, 'slaves')];
  cpSync('/etc/gbrowse', conf, { recursive: true });
  const file = path.join(conf, 'renderfarm.conf');
  writeFileSync(file, withLive(`[GENERAL]\nrenderfarm = 1\nremote renderer =${own}\n`, list));
  const master = path.join(conf, 'GBrowse.conf');
  return {
    list,
    run(...lines) {
      const script = path.join(import.meta.dirname, 'fixtures/live.pl');
      const { stdout, stderr, status } = spawnSync('perl', ['-w', script, list, master], {
        encoding: 'utf8',
        input: lines.map(line => `${line}\n`).join(''),
        env: { ...process.env, GBROWSE_CONF: conf },
        timeout: 50_000,
      });
      assert.equal(status, 0, stderr);
      return stdout.replace(/\n$/, '').split('\n');
    },
  };
}

test('one process of GBrowse sees every change of the list at its next question', needsGBrowse, t => {
  const { run } = gbrowse(t);
  const said = run(
    'ask',
    `put ${A}`,
    'ask',
    `put ${A}\\n${B}\\n`,
    'ask',
    'put ',
    'ask',
    `put ${B}`,
    'ask',
    'remove',
    'ask',
  );
  assert.deepEqual(said, ['0 | ', `1 | ${A}`, `1 | ${A} ${B}`, '0 | ', `1 | ${B}`, '0 | ']);
});

test('a list with anything in it but addresses of slaves turns the farm off', needsGBrowse, t => {
  const { run } = gbrowse(t);
  const bad = [
    `${A};id`,
    'file:///etc/passwd',
    'sub { die }',
    `${A} none`,
    'http://10.0.0.5',
    'http://10.0.0.5:8101/',
    'https://10.0.0.5:1',
    'http://$(id):1',
    'http://[x]:1',
    `http://${'a'.repeat(300)}:1`,
    `${A}\\n`.repeat(1001),
    'x'.repeat(70_000),
    '\0',
  ];
  const said = run(
    ...bad.flatMap(text => [`put ${text}`, 'ask']),
    'put http://[2001:db8::5]:8101 http://slave-1.example:80',
    'ask',
  );
  assert.deepEqual(said, [
    ...bad.map(() => '0 | '),
    '1 | http://[2001:db8::5]:8101 http://slave-1.example:80',
  ]);
});

test(
  'a list that is swapped for a pipe or something huge between look and reading holds GBrowse up in nothing',
  needsGBrowse,
  t => {
    const { run } = gbrowse(t);
    const long = `http://${'a'.repeat(200)}:8101\\n`;
    const said = run(
      `put ${A}`,
      'swap pipe',
      'ask',
      'remove',
      `put ${B}`,
      `swap ${long}`,
      'ask',
      `put ${B}`,
      'ask',
    );
    assert.deepEqual(said, ['0 | ', '0 | ', `1 | ${B}`]);
  },
);

test('the administrator’s own slaves count too, also when the list is gone', needsGBrowse, t => {
  const { run } = gbrowse(t, ' http://lb:80');
  assert.deepEqual(run('ask', `put ${A}`, 'ask', 'remove', 'ask'), [
    '1 | http://lb:80',
    `1 | http://lb:80 ${A}`,
    '1 | http://lb:80',
  ]);
});

test('what a data source says for itself wins, as without the line', needsGBrowse, t => {
  const { run } = gbrowse(t);
  assert.deepEqual(run(`put ${A}`, 'own 0', 'ask'), [`0 | ${A}`]);
});

test(
  'GBrowse may read its configuration any number of times in the same process, and nothing is done twice',
  needsGBrowse,
  t => {
    const { run } = gbrowse(t);
    const said = run(`put ${A}`, 'ask', 'reread', 'ask', 'reread', 'reread', `put ${B}`, 'ask', 'put_data');
    assert.deepEqual(said, [`1 | ${A}`, `1 | ${A}`, `1 | ${B}`, 'PNG bytes']);
  },
);

test(
  'the data source can be frozen for the slaves, and PNG from slaves is kept as it is',
  needsGBrowse,
  t => {
    const { run } = gbrowse(t);
    assert.deepEqual(run('freeze', `put ${A}`, 'ask', 'freeze', 'put_data'), [
      'Bio::Graphics::Browser2::DataSource',
      `1 | ${A}`,
      'Bio::Graphics::Browser2::DataSource',
      'PNG bytes',
    ]);
  },
);

test('no line of the Perl is what GBrowse’s parser would cut or take for something else', () => {
  for (const line of livePerlLines()) assert.doesNotMatch(line, /#|[^ -~]/, line);
});

test('the line is written once, other lines and slaves stay, and it can be taken out again', () => {
  for (const [before, after] of [
    [
      '[GENERAL]\n\nrenderfarm = 0\n\nremote renderer = \n',
      '[GENERAL]\n\nrenderfarm = 0\n\nremote renderer = \n',
    ],
    ['[GENERAL]\nslave_timeout = 30\nrenderfarm = 1\nremote renderer = http://lb:80\n', undefined],
    ['', undefined],
    ['[GENERAL]\r\nrenderfarm = 1\r\nremote renderer = http://lb:80\r\n', undefined],
  ] as const) {
    const live = withLive(before, LIST);
    assert.ok(isLive(live, LIST));
    assert.equal(withLive(live, LIST), live);
    assert.ok(!isLive(live, '/elsewhere'));
    assert.ok(isLive(withLive(live, '/elsewhere'), '/elsewhere'));
    const without = withoutLive(live);
    assert.ok(!without.includes('GBrowseAwsBalancer') && !without.includes('renderfarm list'));
    assert.deepEqual(listedIn(without), listedIn(before));
    if (after !== undefined) assert.equal(without, after);
    assert.equal(withoutLive(without), without);
  }
});

test('a link, a pipe or nonsense in the place of the list is replaced, and nothing of it is believed', async t => {
  const here = makeDirectory(t);
  const [file, list, precious] = ['renderfarm.conf', 'slaves', 'precious'].map(it => path.join(here, it));
  assert.ok(file !== undefined && list !== undefined && precious !== undefined);
  await installLive(file, list);
  const farm = createFarm({ file, list, reloadCommand: 'none' });
  const places: readonly (() => unknown)[] = [
    () => symlinkSync(precious, list),
    () => symlinkSync(path.join(here, 'missing'), list),
    () => assert.equal(spawnSync('mkfifo', [list]).status, 0),
    () => writeFileSync(list, `http://evil;system()\n${A} $(id) \xff\0\n`, 'latin1'),
    () => writeFileSync(list, `${A}\n`.repeat(200_000)),
  ];
  for (const plant of places) {
    writeFileSync(precious, 'root:secret:1\n');
    rmSync(list, { force: true });
    plant();
    const read = await farm.read().catch(() => []);
    assert.ok(read.every(url => url === A) && read.length <= 1);
    await farm.write([A, B]);
    assert.equal(readFileSync(precious, 'utf8'), 'root:secret:1\n');
    assert.ok(!existsSync(path.join(here, 'missing')));
    assert.ok(lstatSync(list).isFile());
    assert.deepEqual(await farm.read(), [A, B]);
  }
});

test('a farm that is live writes only the list; without the line in the farm file it says what to do', async t => {
  const here = makeDirectory(t);
  const [file, list] = [path.join(here, 'renderfarm.conf'), path.join(here, 'slaves')];
  writeFileSync(file, '[GENERAL]\nrenderfarm = 0\n');
  const farm = createFarm({ file, list, reloadCommand: 'auto' });
  await assert.rejects(farm.read(), {
    name: 'UserError',
    message: /as root: gbrowse-aws-balancer farm --install/,
  });
  assert.equal(await installLive(file, list), true);
  assert.equal(await installLive(file, list), false);
  const text = readFileSync(file, 'utf8');
  assert.deepEqual(await farm.read(), []);
  await farm.write([A, B]);
  assert.deepEqual(await farm.read(), [A, B]);
  assert.equal(await farm.reload(), undefined);
  assert.equal((statSync(list).mode & 0o777).toString(8), '644');
  assert.equal(readFileSync(file, 'utf8'), text);
  assert.equal(await removeLive(file), true);
  await assert.rejects(farm.write([]), { name: 'UserError' });
});

test(
  'root makes the list’s directory for the balancer’s user, and follows nothing that others can put there',
  asRoot,
  async t => {
    const here = makeDirectory(t);
    const list = path.join(here, 'state/farm/slaves');
    mkdirSync(path.join(here, 'state'));
    await makeListDirectory(list, { uid: 65_534, gid: 65_534 });
    await makeListDirectory(list, { uid: 65_534, gid: 65_534 });
    assert.equal(statSync(path.dirname(list)).uid, 65_534);
    chownSync(path.join(here, 'state'), 65_534, 65_534);
    rmSync(path.join(here, 'state/farm'), { recursive: true });
    await assert.rejects(
      makeListDirectory(list, { uid: 1, gid: 1 }),
      /users other than root can change .*state/,
    );
    chownSync(here, 0, 0);
    chmodSync(here, 0o777);
    await assert.rejects(
      installLive(path.join(here, 'renderfarm.conf'), list),
      /is not written as root, because users other than root can change/,
    );
  },
);

test('what is wrong with the list names the list, and its option', asRoot, async t => {
  const here = makeDirectory(t);
  const file = path.join(here, 'renderfarm.conf');
  for (const [list, arrange, message] of [
    [
      'isdir',
      (at: string) => mkdirSync(at),
      /isdir: not a regular file; set \[MASTER\] farm_list to the list/,
    ],
    ['big', (at: string) => writeFileSync(at, 'x'.repeat(2 ** 21)), /are too many for a list of slaves/],
    [
      'none/slaves',
      () => {},
      /^cannot write the list of slaves .*no directory .*none; as root: .*farm --install/,
    ],
  ] as const) {
    rmSync(file, { force: true });
    const at = path.join(here, list);
    await installLive(file, at);
    arrange(at);
    const farm = createFarm({ file, list: at, reloadCommand: 'none' });
    const outcome = list.startsWith('none') ? farm.write([A]) : farm.read();
    await assert.rejects(outcome, (error: Error) => {
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /renderfarm_conf/);
      return true;
    });
  }
});
