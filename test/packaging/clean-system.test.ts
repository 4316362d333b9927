import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { startMachine } from './fixtures/machine.ts';
import { bring, ourPackage, removePackages } from './fixtures/packages.ts';
import { debianRoot, type RootName, rootsMissing } from './fixtures/roots.ts';

/** What apt and dpkg write for every package, and what each run changes. */
const NOT_COMPARED = [
  '/proc',
  '/sys',
  '/dev',
  '/run',
  '/tmp',
  '/var/lib/apt',
  '/var/cache',
  '/var/log/apt',
  '/var/lib/dpkg',
]
  .map(place => `-path ${place} -prune -o`)
  .join(' ');
const NOR_THESE =
  /^([0-9a-f]{32} {2})?(\/var\/log\/(dpkg\.log|alternatives\.log|faillog|lastlog)|\/etc\/(passwd|group|shadow|gshadow|subuid|subgid)-|\/var\/tmp|\/etc\/\.pwd\.lock|\/etc\/ld\.so\.cache|\/var\/lib\/systemd\/deb-systemd)/;

describe('apt-get install ./gbrowse-aws-balancer.deb on a clean Debian, without Node', {
  skip: rootsMissing(),
}, () => {
  after(removePackages);
  for (const [suite, release] of [
    ['bullseye', '11'],
    ['bookworm', '12'],
    ['trixie', '13'],
  ] as const satisfies readonly (readonly [RootName, string])[]) {
    test(`Debian ${release}: the program runs; after a purge the file system is what it was before`, async t => {
      const reason = await debianRoot(suite).then(
        () => undefined,
        (error: unknown) => error,
      );
      // Releases come and go; the one that everything else is tested on has to be there.
      if (reason !== undefined && suite !== 'bookworm') return t.skip(`no root of ${suite}: ${reason}`);
      const machine = await startMachine(t, { root: suite, network: 'host' });
      const everything = async () => {
        const all = await machine.must(
          `find / -xdev ${NOT_COMPARED} -printf '%p %M %u %g %l\\n'; find / -xdev ${NOT_COMPARED} -type f -print0 | xargs -0 md5sum`,
        );
        return new Set(all.split('\n').filter(line => !NOR_THESE.test(line)));
      };
      await machine.must('apt-get update -q');
      // What it depends on stays: Debian's own affair.
      await machine.must(
        "apt-get install -qy --no-install-recommends adduser libstdc++6 $(grep -q '^VERSION_ID=.11' /etc/os-release && echo lsb-base || echo sysvinit-utils)",
      );
      const before = await everything();
      bring(machine, await ourPackage('0.1.0'), 'ours');

      const said = await machine.must(
        'apt-get install -qy --no-install-recommends /var/tmp/ours.deb </dev/null 2>&1',
      );
      assert.match(said, /installed and not started/);
      assert.match(await machine.must('gbrowse-aws-balancer --version'), /^gbrowse-aws-balancer \d/);
      assert.notEqual((await machine.run('command -v node')).status, 0);
      assert.equal(await machine.must('dpkg --verify gbrowse-aws-balancer'), '');
      assert.equal(await machine.must('stat -c "%a %U" /etc/default/gbrowse-aws-balancer'), '600 root\n');
      assert.match(
        await machine.must('ls /etc/systemd/system/multi-user.target.wants'),
        /gbrowse-aws-balancer\.service/,
      );

      await machine.must('apt-get purge -qy gbrowse-aws-balancer </dev/null');
      await machine.must('rm /var/tmp/ours.deb');
      const left = await everything();
      assert.deepEqual([...left.difference(before)], [], 'new or changed');
      assert.deepEqual([...before.difference(left)], [], 'gone');
    });
  }
});
