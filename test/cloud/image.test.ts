import './enter-with-mirror.ts';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DescribeImagesCommand, DescribeSnapshotsCommand } from '@aws-sdk/client-ec2';
import { until } from '../e2e/world.ts';
import { debianRoot } from '../packaging/fixtures/roots.ts';
import { type Cloud, startCloud } from './cloud.ts';
import { createBrowser } from './gbrowse/browser.ts';
import { mirrorMissing, serveMirror } from './gbrowse/package-mirror.ts';
import { DATABASES, keepDatabasesToOurselves, type Site, siteMissing, startSite } from './gbrowse/site.ts';
import { clientOf } from './instances.ts';
import { cloudMissing } from './requirements.ts';
import { createSyncMaster, type SyncMaster } from './sync-world.ts';

const OUTSIDE = '198.18.0.1';
/** Where Perl looks for modules of the site. */
const SITE_PERL = execFileSync('perl', ['-MConfig', '-e', 'print $Config{sitelib}'], { encoding: 'utf8' });

describe('image', { skip: cloudMissing() || siteMissing() || mirrorMissing() }, () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'image-'));
  let cloud: Cloud;
  let master: SyncMaster;
  let site: Site;
  let mirror: { readonly source: string; readonly close: () => void };

  function ownScript(text: string): string {
    const file = path.join(directory, 'script');
    writeFileSync(file, `#!/bin/sh\nset -e\n${text}\n`);
    return file;
  }

  before(async () => {
    // A glyph of the site's own, where no package has put it. The mount is this test's own.
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', '/usr/local/share']);
    const glyphs = path.join(SITE_PERL, 'Bio/Graphics/Glyph');
    mkdirSync(glyphs, { recursive: true });
    const glyph = 'package Bio::Graphics::Glyph::site_arrow; use base "Bio::Graphics::Glyph::arrow"; 1;\n';
    writeFileSync(path.join(glyphs, 'site_arrow.pm'), glyph);
    const layer = path.join(directory, 'layer');
    mkdirSync(path.join(layer, 'etc/apt'), { recursive: true });
    cloud = await startCloud({ outside: true, image: `${layer}:${await debianRoot('plain')}` });
    mirror = await serveMirror(OUTSIDE);
    writeFileSync(path.join(layer, 'etc/apt/sources.list'), `${mirror.source}\n`);
    // The disk is memory for as long as this test.
    mkdirSync(path.join(layer, 'etc/dpkg/dpkg.cfg.d'), { recursive: true });
    writeFileSync(path.join(layer, 'etc/dpkg/dpkg.cfg.d/unsafe-io'), 'force-unsafe-io\n');
    keepDatabasesToOurselves();
    site = await startSite('CGI');
    // GBrowse puts an index beside the data when it sees them first.
    await createBrowser(site.page).visit('chrI:1000..2000');
    master = createSyncMaster(cloud, 'painter', { imageId: '', databases: DATABASES });
  });
  after(async () => {
    mirror?.close();
    await site?.stop();
    master?.remove();
    await cloud?.stop();
    rmSync(directory, { recursive: true });
  });

  const images = async () =>
    (await clientOf(cloud).send(new DescribeImagesCommand({ Owners: ['self'] }))).Images?.filter(
      it => it.ImageId !== cloud.image,
    ) ?? [];

  test('--dry-run shows the plan, and does nothing', async () => {
    const before = master.conf();
    const { status, output } = await master.run('image', '--dry-run');
    assert.equal(status, 0, output);
    assert.match(output, /^From: debian-12-amd64-20260201-1 \(ami-\w+, x86_64\)$/m);
    assert.match(output, /^Packages:\n {2}gbrowse bioperl /m);
    assert.equal(master.conf(), before);
    assert.deepEqual(
      (await master.account.calls()).filter(it => !it.action.startsWith('Describe')),
      [],
    );
  });

  test('makes of a plain image one that has what this master has, tries it, and names it', async t => {
    const before = master.conf();
    const { status, output } = await master.run('image', '--script', ownScript('date > /etc/site-script'));
    assert.equal(status, 0, output);
    t.diagnostic(output.slice(output.indexOf('Time taken')));
    assert.match(
      output,
      new RegExp(`^ {2}${path.dirname(SITE_PERL)}/\\S+: 1 file \\(.*site_arrow\\.pm\\)$`, 'm'),
    );
    assert.match(output, /^A slave on the image has drawn \S+ of \w+: \d+ B in /m);
    const [image] = await images();
    assert.equal(image?.State, 'available');
    assert.match(output, new RegExp(`^the image is ${image.ImageId}$`, 'm'));
    assert.equal(master.conf(), before.replace(/image_id {7}= {4}#/, `image_id       = ${image.ImageId} #`));
    const tags = Object.fromEntries((image.Tags ?? []).map(({ Key = '', Value }) => [Key, Value]));
    assert.equal(tags['gbrowse-aws-balancer:master'], 'painter');
    const [snapshot] =
      (await clientOf(cloud).send(new DescribeSnapshotsCommand({ OwnerIds: ['self'] }))).Snapshots?.filter(
        it => it.SnapshotId === image.BlockDeviceMappings?.[0]?.Ebs?.SnapshotId,
      ) ?? [];
    assert.deepEqual(snapshot?.Tags?.map(it => it.Key).toSorted(), Object.keys(tags).toSorted());
    assert.deepEqual(await master.account.remains(), []);
    const { status: collected, output: kept } = await master.run('gc');
    assert.equal(collected, 0, kept);
    assert.match(kept, /nothing is left over/);
    assert.match(kept, new RegExp(`kept: image ${image.ImageId} is complete`));
  });

  test('after sync, slaves of the balancer draw a page of GBrowse, and nothing else runs there', async t => {
    const { status, output } = await master.run('sync');
    assert.equal(status, 0, output);
    t.diagnostic(output.slice(output.indexOf('Time taken')));
    writeFileSync(
      master.confFile,
      master
        .conf()
        .replace(/^0\.1 0 1$/m, '0   1   1')
        .replace(
          /^(server_status_url = ).*$/m,
          `$1${site.apache.statusUrl}\nrenderfarm_conf   = ${site.farmFile}\ndrain_time        = 1`,
        ),
      'latin1',
    );
    const asked = performance.now();
    const balancer = master.start('run');
    await until('the farm has a slave', () =>
      /^\s*http:\/\/\S+:8101$/m.test(readFileSync(site.farmFile, 'utf8')),
    );
    t.diagnostic(
      `a slave serves ${Math.round((performance.now() - asked) / 1000)} s after the start of the balancer`,
    );
    const { tracks } = await createBrowser(site.page).visit('chrI:5000..7000');
    assert.ok(tracks.length > 0);
    assert.deepEqual(
      tracks.filter(it => it.outcome !== 'delivered'),
      [],
      site.reasons().join('\n'),
    );
    const [slave] = (await master.account.state()).instances;
    assert.ok(slave !== undefined, balancer.stderr());
    const say = (command: string) => cloud.run(slave.id, `${command} || true`);
    assert.match(await say('cat /var/log/gbrowse/gbrowse_slave'), /operation=render_tracks; response=200/);
    assert.match(await say('systemctl is-enabled gbrowse-slave'), /^masked/);
    assert.match(await say('systemctl is-enabled apache2'), /^disabled/);
    assert.equal(await say('pgrep -x apache2'), '');
    assert.equal(await say('perl -MBio::Graphics::Glyph::site_arrow -e "print 1"'), '1');
    assert.notEqual(await say('cat /etc/site-script'), '');
    // Nothing of the machine that it was made on.
    assert.equal(await say('ls /usr/sbin/policy-rc.d /etc/sudoers.d/gbrowse-sync 2>/dev/null'), '');
    assert.equal(await say('grep -rl gbrowse-aws-balancer-sync /root/.ssh /home 2>/dev/null'), '');
    assert.equal(await say('ls -d /var/tmp/gbrowse* 2>/dev/null'), '');
    process.kill(balancer.pid, 'SIGTERM');
    assert.equal(await balancer.ended(60_000), 0);
    assert.deepEqual(await master.account.remains(), []);
  });

  test('that is killed leaves nothing that gc does not find and remove', async () => {
    const running = master.start('image', '--from', 'present');
    await until('it works on the instance', () => /^Installing/m.test(running.stdout()));
    process.kill(running.pid, 'SIGKILL');
    await running.ended();
    assert.notDeepEqual(await master.account.remains(), []);
    const { status, output } = await master.run('gc', '--yes');
    assert.equal(status, 0, output);
    assert.deepEqual(await master.account.remains(), []);
  });

  test('whose slave does not draw is not kept: nothing is left, and the configuration stays', async () => {
    const [before, earlier] = [master.conf(), await images()];
    const breaking = `echo 'sub Bio::Graphics::Browser2::Render::Slave::render_tracks { die "broken" } 1;' >> /usr/share/perl5/Bio/Graphics/Browser2/Render/Slave.pm`;
    const { status, output } = await master.run(
      'image',
      '--from',
      'present',
      '--script',
      ownScript(breaking),
    );
    assert.equal(status, 1, output);
    assert.match(output, /does not draw a track of \w+ as this master does/);
    assert.equal(master.conf(), before);
    assert.deepEqual(
      (await images()).map(it => it.ImageId),
      earlier.map(it => it.ImageId),
    );
    assert.deepEqual(await master.account.remains(), []);
  });
});
