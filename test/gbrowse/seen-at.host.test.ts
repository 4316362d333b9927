import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { test } from 'node:test';
import { pathSeenBy } from '../../src/gbrowse/seen-at.ts';
import { filesOf } from './directory.ts';

const isRoot = process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'true']).status === 0;
const skip = isRoot ? false : 'only root can mount';

test('a file is found where a container has it mounted, by itself and not by its name', { skip }, async t => {
  const directory = filesOf(t, {
    'host/etc/renderfarm.conf': 'ours',
    'host/alone.conf': 'ours too',
    'a b/x': '',
    'file.conf': '',
    'other/renderfarm.conf': 'of another site',
  });
  const script = `cd '${directory}' && mount --bind host 'a b' && mount --bind host/alone.conf file.conf &&
    mount -t tmpfs tmpfs host && echo ready && exec sleep 60`;
  const container = spawn('unshare', ['-m', 'sh', '-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => container.kill('SIGKILL'));
  await once(container.stdout, 'data');
  const pid = container.pid ?? 0;
  const own = (name: string) => path.join(directory, name);
  assert.equal(pathSeenBy(pid, own('host/etc/renderfarm.conf')), own('a b/etc/renderfarm.conf'));
  assert.equal(pathSeenBy(pid, own('host/alone.conf')), own('a b/alone.conf'));
  assert.equal(pathSeenBy(pid, own('host/none.conf')), undefined);
  assert.equal(pathSeenBy(process.pid, own('host/etc/renderfarm.conf')), own('host/etc/renderfarm.conf'));
});
