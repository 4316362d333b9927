import './enter-with-machine.ts';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createProbe } from '../../src/farm/probe.ts';
import type { Cloud } from '../cloud/cloud.ts';
import { DATABASES, PORTS, type SlaveMachines, startMachines } from '../cloud/slave-machines.ts';
import { MACHINE_IMAGE, machineMissing } from './image.ts';

/** A boot takes minutes under emulation, on a busy machine many. */
const PATIENCE = 25 * 60_000;

const probe = createProbe(10_000);

describe('a slave on a machine with a kernel of its own and NVMe volumes', { skip: machineMissing() }, () => {
  let machines: SlaveMachines;
  let cloud: Cloud;
  before(async () => {
    machines = await startMachines(path.join(MACHINE_IMAGE, '../roots/machine'), { emulated: MACHINE_IMAGE });
    cloud = machines.cloud;
  });
  after(() => cloud?.stop());

  const run = (id: string, command: string) => cloud.run(id, command);
  const stateOf = async (id: string) => probe((await cloud.host(id)).address, PORTS);
  const answers = async (id: string) => (await stateOf(id).catch(() => '')) === 'answered';

  /** Looks every two seconds: emulation needs the processor. */
  async function waitFor(id: string, what: string, look: () => Promise<boolean>): Promise<void> {
    for (const until = Date.now() + PATIENCE; !(await look().catch(() => false)); await sleep(2_000)) {
      if (Date.now() < until) continue;
      const log = 'cat /var/log/gbrowse-aws-balancer-slave.log; journalctl -b -n 60 --no-pager';
      const console = readFileSync(path.join(cloud.directory, id, 'console.log'), 'latin1').slice(-4_000);
      throw new Error(`waited in vain until ${what}:\n${await run(id, log).catch(String)}\n${console}`);
    }
  }

  /** Where a path is mounted from. */
  const sourceOf = async (id: string, place: string) =>
    (await run(id, `findmnt -n -o SOURCE --target ${place}`)).trim();

  let first = '';

  test('answers with its data from an NVMe volume', async t => {
    first = await machines.start();
    await waitFor(first, 'it answers', () => answers(first));
    assert.match(await sourceOf(first, DATABASES), /^\/dev\/nvme\dn1\[\/databases\]$/);
    assert.equal(await run(first, `cat ${DATABASES}/copied/a.gff3`), '##gff-version 3\n');
    const users = "ps -eww -o user=,args= | awk '/[g]browse_slave --port/ { print $1 }' | sort -u";
    assert.equal(await run(first, users), 'www-data\n');
    t.diagnostic(await run(first, 'cat /var/log/gbrowse-aws-balancer-slave.log'));
  });

  test('comes back after a reboot', async t => {
    const boot = () => run(first, 'cat /proc/sys/kernel/random/boot_id');
    const before = await boot();
    await run(first, 'systemctl reboot --no-block');
    await waitFor(first, 'it boots again', async () => (await boot()) !== before);
    await waitFor(first, 'it answers', () => answers(first));
    assert.match(await sourceOf(first, DATABASES), /^\/dev\/nvme\dn1\[\/databases\]$/);
    assert.equal(await run(first, `cat ${DATABASES}/copied/a.gff3`), '##gff-version 3\n');
    t.diagnostic(await run(first, 'tail -n 4 /var/log/gbrowse-aws-balancer-slave.log'));
  });
});
