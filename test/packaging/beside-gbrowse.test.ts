import assert from 'node:assert/strict';
import { before, describe, type TestContext, test } from 'node:test';
import { type Machine, startMachine } from './fixtures/machine.ts';
import { bring, changed, gbrowsePackage, ourPackage, removePackages } from './fixtures/packages.ts';
import { rootsMissing } from './fixtures/roots.ts';

const NAMES = ['/etc/init.d/gbrowse-aws-balancer', '/etc/default/gbrowse-aws-balancer'] as const;
const DPKG = 'dpkg --force-depends --force-confdef';

describe("beside Debian's gbrowse, which ships files of the same names", { skip: rootsMissing() }, () => {
  let debs: Readonly<Record<'ours' | 'ours2' | 'gbrowse' | 'gbrowse2', string>>;
  before(async t => {
    const scope = 'after' in t ? (t as Pick<TestContext, 'after'>) : { after: () => {} };
    const helper = await startMachine(scope, { root: 'service', network: 'host' });
    const gbrowse = await gbrowsePackage(helper);
    await helper.stop();
    const edits = NAMES.map(name => `echo '# changed' >>%${name}`).join('; ');
    const ours = await ourPackage('0.1.0', '/bin/true');
    debs = {
      gbrowse,
      gbrowse2: await changed(
        gbrowse,
        'gbrowse2',
        `sed -i 's/^Version: .*/Version: 99/' %/DEBIAN/control; ${edits}`,
      ),
      ours,
      ours2: await changed(
        ours,
        'ours2',
        `sed -i 's/^Version: .*/Version: 0.2.0/' %/DEBIAN/control; echo '# ours, changed' >>%/usr/share/gbrowse-aws-balancer/default`,
      ),
    };
  });

  async function machineFor(t: TestContext): Promise<Machine> {
    const machine = await startMachine(t, { root: 'service' });
    for (const [name, deb] of Object.entries(debs)) bring(machine, deb, name);
    return machine;
  }
  // Nobody is there who could answer a question of dpkg's.
  const install = (machine: Machine, ...names: readonly (keyof typeof debs)[]) =>
    machine.must(`dpkg --force-depends -i ${names.map(it => `/var/tmp/${it}.deb`).join(' ')} </dev/null`);
  const purge = (machine: Machine, name: string) => machine.must(`${DPKG} --purge ${name} </dev/null`);

  /** Whose the two files are, and whether the service has its links in /etc/rc?.d. */
  async function state(machine: Machine): Promise<string> {
    const owners = NAMES.map(name => {
      const text = machine.read(name);
      if (text === undefined) return 'none';
      return text.includes('debian/gbrowse/bin')
        ? text.includes('# changed')
          ? "gbrowse's, new"
          : "gbrowse's"
        : 'ours';
    });
    const links = (await machine.must('ls /etc/rc2.d')).includes('gbrowse-aws-balancer');
    return `${[...new Set(owners)].join(' and ')}, ${links ? 'links' : 'no links'}`;
  }

  /** Names, modes, owners and contents of everything below /etc. */
  const etc = (machine: Machine) =>
    machine.must(
      "cd /etc && find . ! -name '*-' ! -name 'passwd' ! -name 'shadow' ! -name group ! -name gshadow -printf '%p %M %u %l\\n' -type f -exec md5sum {} + | sort",
    );

  test('gbrowse was there first: ours takes the names over, a purge gives all back as it was', async t => {
    const machine = await machineFor(t);
    await install(machine, 'gbrowse');
    const before = await etc(machine);
    await install(machine, 'ours');
    assert.equal(await state(machine), 'ours, links');
    assert.equal(await machine.must('stat -c %a /etc/default/gbrowse-aws-balancer'), '600\n');
    await purge(machine, 'gbrowse-aws-balancer');
    assert.equal(await state(machine), "gbrowse's, links");
    assert.equal(await etc(machine), before);
  });

  test('gbrowse comes later: ours stay; it is given its own when ours goes', async t => {
    const machine = await machineFor(t);
    await install(machine, 'ours');
    const before = NAMES.map(machine.read);
    await install(machine, 'gbrowse');
    assert.deepEqual(NAMES.map(machine.read), before);
    await purge(machine, 'gbrowse-aws-balancer');
    assert.equal(await state(machine), "gbrowse's, links");
    assert.equal(await machine.must('dpkg --verify gbrowse'), '');
  });

  for (const order of [
    ['ours', 'gbrowse'],
    ['gbrowse', 'ours'],
  ] as const) {
    test(`both come in one go: ${order.join(' and ')}`, async t => {
      const machine = await machineFor(t);
      await install(machine, ...order);
      assert.equal(await state(machine), 'ours, links');
      await purge(machine, 'gbrowse-aws-balancer');
      assert.equal(await state(machine), "gbrowse's, links");
      assert.equal(await machine.must("find /etc -name '*aws?balancer*.*' ! -name aws_balancer.conf"), '');
    });
  }

  test('gbrowse is upgraded, removed, purged and installed again: ours stay, nothing is asked', async t => {
    const machine = await machineFor(t);
    await install(machine, 'gbrowse', 'ours');
    machine.write(NAMES[1], `${machine.read(NAMES[1])}# an administrator\n`, 0o600);
    const before = NAMES.map(machine.read);
    await install(machine, 'gbrowse2');
    assert.deepEqual(NAMES.map(machine.read), before);
    await machine.must(`${DPKG} --remove gbrowse`);
    assert.deepEqual(NAMES.map(machine.read), before);
    await purge(machine, 'gbrowse');
    assert.deepEqual(NAMES.map(machine.read), before);
    assert.equal(await state(machine), 'ours, links');
    await install(machine, 'gbrowse');
    assert.deepEqual(NAMES.map(machine.read), before);
    await purge(machine, 'gbrowse-aws-balancer');
    assert.equal(await state(machine), "gbrowse's, links");
  });

  test('an upgrade of gbrowse while ours is there is what a purge of ours gives back', async t => {
    const machine = await machineFor(t);
    await install(machine, 'gbrowse', 'ours');
    await install(machine, 'gbrowse2');
    await purge(machine, 'gbrowse-aws-balancer');
    assert.equal(await state(machine), "gbrowse's, new, links");
  });

  test('ours is removed, then gbrowse purged, then ours: nothing is left of either', async t => {
    const machine = await machineFor(t);
    await install(machine, 'gbrowse', 'ours');
    await machine.must(`${DPKG} --remove gbrowse-aws-balancer`);
    await purge(machine, 'gbrowse');
    await purge(machine, 'gbrowse-aws-balancer');
    assert.equal(await state(machine), 'none, no links');
    assert.equal(await machine.must("find /etc -name '*aws?balancer*'"), '');
    assert.doesNotMatch(await machine.must('dpkg-divert --list'), /balancer/);
  });

  test('an upgrade of ours: an untouched file is replaced, an edited or deleted one is not', async t => {
    const machine = await machineFor(t);
    await install(machine, 'ours');
    machine.write(NAMES[0], `${machine.read(NAMES[0])}# an administrator\n`, 0o755);
    await machine.must('rm /etc/gbrowse2/aws_balancer.conf');
    await install(machine, 'ours2');
    assert.match(machine.read(NAMES[1]) ?? '', /# ours, changed/);
    assert.match(machine.read(NAMES[0]) ?? '', /# an administrator/);
    assert.equal(machine.read('/etc/gbrowse2/aws_balancer.conf'), undefined);
    assert.equal(await machine.must('stat -c %a /etc/default/gbrowse-aws-balancer'), '600\n');
  });

  test('files of a GBrowse that was installed from its source are never lost', async t => {
    const machine = await machineFor(t);
    const files = [...NAMES, '/etc/gbrowse2/aws_balancer.conf'];
    for (const file of files) machine.write(file, `# own ${file}\n`);
    assert.match(await install(machine, 'ours'), /is \/etc\/default\/gbrowse-aws-balancer\.local now/);
    assert.equal(await state(machine), 'ours, links');
    assert.equal(machine.read('/etc/gbrowse2/aws_balancer.conf'), '# own /etc/gbrowse2/aws_balancer.conf\n');
    await install(machine, 'ours2');
    await purge(machine, 'gbrowse-aws-balancer');
    for (const file of files) assert.equal(machine.read(file), `# own ${file}\n`);
    await removePackages();
  });
});
