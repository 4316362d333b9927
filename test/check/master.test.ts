import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { it } from 'node:test';
import { master } from '../../src/check/topics/master.ts';
import { createWorld } from '../../src/check/world.ts';

it('an EC2 instance whose metadata service does not answer is distinguished from a machine elsewhere', async t => {
  const directory = mkdtempSync(path.join(tmpdir(), 'check-master-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const confFile = path.join(directory, 'c.conf');
  writeFileSync(
    confFile,
    '[LOAD TABLE]\n1 0 1\n[MASTER]\npoll_interval = 1\nserver_status_url = http://localhost/server-status\nname = fly\n[SLAVE]\ninstance_type = m5.large\nspot_bid = 0.1\nimage_id = ami-1\nregion = us-west-2\n',
  );
  const found = async (vendor: string | undefined) => {
    const none = () => Promise.reject(new Error('not asked here'));
    const world = createWorld(
      { keys: {}, timeLimit: 9000, confFile },
      {
        env: {},
        hostName: 'host',
        settingsFile: '/nonexistent',
        shippedConfig: '/nonexistent',
        findConfigFile: none,
        readMetadata: async () => undefined,
        machineVendor: async () => vendor,
        connect: none,
        findAddress: none,
        fetchDate: none,
      },
      { signal: new AbortController().signal, answered: () => {}, end: () => {} },
    );
    return (await master.check(world)).filter(({ verdict }) => verdict === 'warning');
  };
  assert.match((await found('Amazon EC2\n'))[0]?.message ?? '', /its metadata service does not answer/);
  assert.deepEqual(await found('QEMU\n'), []);
  assert.deepEqual(await found(undefined), []);
});
