import './enter-with-root.ts';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { StartInstancesCommand, StopInstancesCommand } from '@aws-sdk/client-ec2';
import { createProbe } from '../../src/farm/probe.ts';
import type { SlaveFigures } from '../../src/farm/slave-figures.ts';
import { renderOne } from '../../src/gbrowse/render.ts';
import { stagingUserData } from '../../src/staging/user-data.ts';
import { debianRoot, rootsMissing } from '../packaging/fixtures/roots.ts';
import { until } from '../peers/until.ts';
import type { Cloud } from './cloud.ts';
import { base64, clientOf, inState, launch } from './instances.ts';
import { LOG_DIRECTORY, oldImageUserData } from './old-image.ts';
import { cloudMissing } from './requirements.ts';
import { DATABASES, PORTS, type SlaveMachines, startMachines } from './slave-machines.ts';

const UNIT = 'gbrowse-aws-balancer-slave';
const heard = new Map<string, SlaveFigures>();
const probe = createProbe(2_000, (address, figures) => heard.set(address, figures));

/** It was made before the namespaces were entered: inside there is no network. */
const root =
  cloudMissing() === false && rootsMissing() === false ? await debianRoot('slave').catch(String) : '';
const missing =
  cloudMissing() || rootsMissing() || (root.startsWith('/') ? false : `no Debian root: ${root}`);

describe('a slave on a machine with systemd and cloud-init', { skip: missing }, () => {
  let machines: SlaveMachines;
  let cloud: Cloud;
  before(async () => {
    machines = await startMachines(root);
    cloud = machines.cloud;
  });
  after(() => cloud?.stop());

  const stateOf = async (id: string) => {
    const { address } = await cloud.host(id);
    return await probe(address, PORTS);
  };

  async function ready(id: string): Promise<void> {
    try {
      await until(`${id} answers`, async () => (await stateOf(id).catch(() => '')) === 'answered');
    } catch (error) {
      const look =
        'cat /var/log/gbrowse-aws-balancer-slave.log; systemctl list-jobs; tail -n 30 /var/log/cloud-init.log; ps -ewwo pid,user,args';
      const seen = await cloud.run(id, look).catch(String);
      throw new Error(`${id} does not answer:\n${seen}`, { cause: error });
    }
  }

  const run = (id: string, command: string) => cloud.run(id, command);
  /** The slaves on a port: `PID USER`, the parent first. */
  const slavesOn = async (id: string, port: number) =>
    (await run(id, `ps -eww -o pid=,pgid=,user=,args= | grep '[g]browse_slave --port ${port}' || true`))
      .split('\n')
      .filter(Boolean)
      .map(line => line.trim().split(/\s+/))
      .map(([pid = '', leader = '', user = '']) => ({ pid, isParent: pid === leader, user }));

  /** The phases of the last boot, in seconds of uptime. */
  async function phases(id: string): Promise<Readonly<Record<string, number>>> {
    const text = await run(id, 'cat /var/log/gbrowse-aws-balancer-slave.log');
    const found = [...text.matchAll(/^\S+ \S+ (.+) ([\d.]+) s after the start$/gm)];
    return Object.fromEntries(found.map(([, phase = '', seconds]) => [phase, Number(seconds)]));
  }

  /** MariaDB misses a word to stop that comes while it starts; systemd waits for it for 15 minutes then. */
  async function settled(id: string): Promise<void> {
    await until('no service is being started', async () =>
      (await run(id, 'systemctl list-jobs')).includes('No jobs'),
    );
  }

  async function assertOurs(id: string): Promise<void> {
    assert.equal(await run(id, `cat ${DATABASES}/copied/a.gff3`), '##gff-version 3\n');
    for (const port of PORTS) {
      const slaves = await slavesOn(id, port);
      const processors = Number(await run(id, 'nproc'));
      assert.equal(slaves.filter(it => it.isParent).length, 1);
      assert.ok(slaves.length > processors + 1, 'more processes than processors, and a parent');
      assert.ok(slaves.every(it => it.user === 'www-data'));
    }
    // The package's own init script would start slaves as root on 8101 to 8103.
    assert.deepEqual(await slavesOn(id, 8103), []);
  }

  test('answers once its data are there, in place of the slaves of the image; with its phases in the log', async t => {
    const id = await machines.start();
    await ready(id);
    await assertOurs(id);
    const { address } = await cloud.host(id);
    const told = await until('it has told all phases', async () => {
      await probe(address, PORTS);
      const figures = heard.get(address);
      return figures?.phases.listening !== undefined && figures;
    });
    assert.equal(told.renders, 0);
    assert.deepEqual(Object.keys(told.phases), ['kernel', 'network', 'data', 'listening']);
    const ends = [...Object.values(told.phases), told.uptime];
    assert.deepEqual(
      ends,
      ends.toSorted((a, b) => a - b),
    );
    assert.deepEqual(Object.values(await phases(id)), Object.values(told.phases));
    t.diagnostic(JSON.stringify(told));
    assert.equal(
      await run(id, 'stat -c %U /var/lib/postgresql'),
      'postgres\n',
      'its number is another one here',
    );

    await t.test('comes back after a reboot', async () => {
      await settled(id);
      await run(id, 'systemctl reboot --no-block');
      await until('it goes down', async () => (await stateOf(id).catch(() => '')) !== 'answered');
      await ready(id);
      await assertOurs(id);
      assert.equal(await run(id, `systemctl is-active ${UNIT}`), 'active\n');
    });

    await t.test('is started anew when a parent is killed, though its children serve on', async () => {
      const [parent] = (await slavesOn(id, 8102)).filter(it => it.isParent);
      await run(id, `kill -KILL ${parent?.pid}`);
      await until('there is another parent', async () =>
        (await slavesOn(id, 8102)).some(it => it.isParent && it.pid !== parent?.pid),
      );
      await ready(id);
      await assertOurs(id);
    });

    await t.test('is started anew when the guard is killed', async () => {
      const guard = () => run(id, `systemctl show --value -p MainPID ${UNIT}`);
      const first = await guard();
      await run(id, `systemctl kill --kill-whom=main --signal=KILL ${UNIT}`);
      await until('there is another guard', async () => !['0\n', first].includes(await guard()));
      await ready(id);
      await assertOurs(id);
    });

    await t.test('comes back after a stop and a start', async () => {
      await settled(id);
      await clientOf(cloud).send(new StopInstancesCommand({ InstanceIds: [id] }));
      await inState(cloud, id, 'stopped');
      await clientOf(cloud).send(new StartInstancesCommand({ InstanceIds: [id] }));
      await inState(cloud, id, 'running');
      await ready(id);
      await assertOurs(id);
    });
  });

  test('is not taken for ready where only the slaves answer that the package of GBrowse starts', async () => {
    const id = await launch(cloud, { SecurityGroupIds: [machines.group] });
    // Its script ends after the first one when that has not written its pidfile yet.
    await until('one runs', async () =>
      (await slavesOn(id, 8101).catch(() => [])).some(({ user }) => user === 'root'),
    );
    const { address } = await cloud.host(id);
    const status = async () => (await fetch(`http://${address}:8101/`)).status;
    await until('it answers', async () => (await status().catch(() => undefined)) === 403);
    assert.equal(await probe(address, [8101]), 'refused');
  });

  test("is started by the image's own init script on an old image; what it draws is counted there too", async t => {
    const id = await launch(cloud, {
      UserData: base64(oldImageUserData()),
      SecurityGroupIds: [machines.group],
    });
    await ready(id);
    const { address } = await cloud.host(id);
    const processors = Number(await run(id, 'nproc'));
    for (const port of PORTS) {
      const slaves = await slavesOn(id, port);
      assert.equal(slaves.filter(it => it.isParent).length, 1);
      assert.ok(slaves.length > processors + 1, 'it answers while it draws');
    }
    assert.match(
      await run(id, "ps -eww -o args= | grep '[g]browse_slave'"),
      / \/opt\/gbrowse\/bin\/gbrowse_slave /,
    );
    assert.deepEqual(await slavesOn(id, 8103), []);
    const renders = async () => {
      await probe(address, PORTS);
      return heard.get(address)?.renders;
    };
    assert.equal(await renders(), 0);
    const drawn = await renderOne({ directory: '/etc/gbrowse', file: '/etc/gbrowse/GBrowse.conf' }, 'yeast', {
      slave: `http://${address}:${PORTS[0]}`,
      timeLimit: 120_000,
    });
    assert.equal(drawn.error, undefined);
    await until('the drawing is counted', async () => (await renders()) === 1);
    t.diagnostic(await run(id, `tail -n 3 ${LOG_DIRECTORY}/gbrowse_slave`));

    await t.test('and started anew when it is killed, though its pidfile is there', async () => {
      const [parent] = (await slavesOn(id, 8102)).filter(it => it.isParent);
      await run(id, `kill -KILL ${parent?.pid}`);
      await until('there is another parent', async () =>
        (await slavesOn(id, 8102)).some(it => it.isParent && it.pid !== parent?.pid),
      );
      await ready(id);
    });
  });

  test('powers itself off, and so is terminated, when nobody asks it any more; a staging machine after a reboot too', async () => {
    const id = await machines.start({ orphanTimeout: 20_000 });
    const keys = { login: 'ssh-ed25519 AAAA', host: {} };
    const staging = await launch(cloud, {
      UserData: base64(stagingUserData(keys, 'admin', 10_000)),
      InstanceInitiatedShutdownBehavior: 'terminate',
    });
    const guard = async () => (await run(staging, "pgrep -f '[b]oothook' || true").catch(() => '')) !== '';
    await until('the guard of the staging machine runs', guard);
    await settled(staging);
    await run(staging, 'touch /run/before && systemctl reboot --no-block');
    await until(
      'it boots again',
      async () =>
        (await run(staging, 'ls /run').catch(() => 'before')).includes('cloud') &&
        !(await run(staging, 'ls /run').catch(() => 'before')).includes('before'),
    );
    await until('its guard runs again', guard);
    await inState(cloud, staging, 'terminated');
    await inState(cloud, id, 'terminated');
  });

  test('is not ready without its data, though the slave would answer', async () => {
    const id = await machines.start({ volumes: 2 });
    await until(
      'it has looked for its data',
      async () => 'fewer than 2 data volumes' in (await phases(id).catch(() => ({}))),
    );
    await until(
      'its guard runs',
      async () => (await run(id, `systemctl is-active ${UNIT} || true`)) === 'active\n',
    );
    assert.equal(await stateOf(id), 'refused');
  });
});
