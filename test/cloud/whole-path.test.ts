import './enter-with-mirror.ts';
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { until } from '../e2e/world.ts';
import { farm } from '../packaging/fixtures/cloud.ts';
import { type Machine, startMachine } from '../packaging/fixtures/machine.ts';
import { bring, ourPackage, removePackages } from '../packaging/fixtures/packages.ts';
import { debianRoot, rootsMissing } from '../packaging/fixtures/roots.ts';
import { type Cloud, startCloud } from './cloud.ts';
import { createBrowser } from './gbrowse/browser.ts';
import { mirrorMissing, serveMirror } from './gbrowse/package-mirror.ts';
import { cloudMissing } from './requirements.ts';

const OUTSIDE = '198.18.0.1';
const README = readFileSync(path.resolve(import.meta.dirname, '../../README.md'), 'utf8');
const CONF = '/etc/gbrowse2/aws_balancer.conf';

/** The one command of the README's chapter "Install" that matches, without its comment. */
function fromReadme(pattern: RegExp): string {
  const [, chapter = ''] = /^## Install\n([\s\S]*?)^## /m.exec(README) ?? [];
  const found = [...chapter.matchAll(/^ {4}(.*?)(?: +#.*)?$/gm)]
    .map(it => it[1] ?? '')
    .filter(it => pattern.test(it));
  assert.equal(found.length, 1, `${pattern}: ${found.join(' | ')}`);
  return found[0] ?? '';
}

describe('from apt install to a track that a slave has drawn, with the words of the README', {
  skip: cloudMissing() || rootsMissing() || mirrorMissing(),
}, () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'path-'));
  let cloud: Cloud;
  let machine: Machine;
  let mirror: { readonly source: string; readonly close: () => void };
  const ends: (() => unknown)[] = [];

  before(async () => {
    const layer = path.join(directory, 'layer');
    mkdirSync(path.join(layer, 'etc/dpkg/dpkg.cfg.d'), { recursive: true });
    mkdirSync(path.join(layer, 'etc/apt'));
    // The disk is memory for as long as this test.
    writeFileSync(path.join(layer, 'etc/dpkg/dpkg.cfg.d/unsafe-io'), 'force-unsafe-io\n');
    cloud = await startCloud({ outside: true, image: `${layer}:${await debianRoot('plain')}` });
    mirror = await serveMirror(OUTSIDE);
    writeFileSync(path.join(layer, 'etc/apt/sources.list'), `${mirror.source}\n`);
    // Debian 12 with its GBrowse, in the bed's network.
    machine = await startMachine(
      { after: end => void ends.push(end as () => unknown) },
      { root: 'slave', network: 'host' },
    );
    machine.write('/etc/apt/sources.list', `${mirror.source}\n`);
    // There are no name servers in there.
    machine.write('/etc/resolv.conf', '');
    await machine.must('echo 127.0.1.1 packaging >>/etc/hosts');
    await machine.must('apt-get update -q && a2enmod cgid && service apache2 start');
  });
  after(async () => {
    for (const end of ends.reverse()) await end();
    mirror?.close();
    await cloud?.stop();
    await removePackages();
    rmSync(directory, { recursive: true });
  });

  test('every command does its part', async t => {
    // The name of the machine is the master's.
    const account = cloud.account('packaging');
    const times: string[] = [];
    async function step(command: string): Promise<string> {
      const since = performance.now();
      const { status, output } = await machine.run(`cd /root && ${command}`);
      times.push(`${((performance.now() - since) / 1000).toFixed(1).padStart(6)} s  ${command}`);
      assert.equal(status, 0, `${command}\n${output}`);
      return output;
    }

    bring(machine, await ourPackage('0.1.0'), 'ours');
    await machine.must('cp /var/tmp/ours.deb /root/gbrowse-aws-balancer_0.1.0_amd64.deb');
    await step(`${fromReadme(/^sudo apt install/).replace('install', 'install -y')} </dev/null`);
    // AWS is this bed.
    await machine.must(
      `echo 'export AWS_ENDPOINT_URL_EC2=${cloud.endpoint} AWS_EC2_METADATA_DISABLED=true' >> /etc/default/gbrowse-aws-balancer`,
    );
    machine.write(
      '/root/keys',
      `export EC2_ACCESS_KEY=${account.accessKey} EC2_SECRET_KEY=${cloud.environment.AWS_SECRET_ACCESS_KEY}\n`,
      0o600,
    );
    const asked = fromReadme(/^sudo gbrowse-aws-balancer setup/).replace(
      'sudo',
      'sudo --preserve-env=EC2_ACCESS_KEY,EC2_SECRET_KEY',
    );
    await step(`. ./keys && ${asked} --yes --region us-west-2`);
    await step(fromReadme(/iam-policy/));
    // There is nobody to ask for this machine's address on the internet, and no reader to be patient with.
    await machine.must(
      `sed -i 's/^#\\?external_ip.*/external_ip = ${cloud.master.address}/; s/^#\\?drain_time.*/drain_time = 1/' ${CONF}`,
    );
    await step(fromReadme(/^sudo gbrowse-aws-balancer image/));
    await step(fromReadme(/^sudo gbrowse-aws-balancer sync/));
    const check = fromReadme(/^sudo gbrowse-aws-balancer check/);
    // A busy machine may not answer all of its questions in time.
    await until('check finds no problem', async () => (await machine.run(check)).status === 0);
    await step(check);
    await step(fromReadme(/^sudo service/));

    const started = performance.now();
    const visitors = setInterval(
      () => get(`http://localhost/`, it => it.resume()).on('error', () => {}),
      250,
    );
    t.after(() => clearInterval(visitors));
    await until('GBrowse has a slave', () => {
      return farm(machine).length > 0;
    });
    times.push(
      `${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s  until a slave serves, four requests a second`,
    );
    const browser = createBrowser('http://localhost/gb2/gbrowse/yeast/');
    const { tracks } = await browser.visit('chrI:5000..7000');
    assert.ok(tracks.length > 0);
    assert.deepEqual(
      tracks.filter(it => it.outcome !== 'delivered'),
      [],
    );
    const { instances } = await account.state();
    const logs = await Promise.all(
      instances.map(it => cloud.run(it.id, 'cat /var/log/gbrowse/gbrowse_slave || true')),
    );
    assert.match(logs.join(''), /operation=render_tracks; response=200/);
    await step('sudo service gbrowse-aws-balancer stop');
    assert.deepEqual(await account.remains(), []);
    t.diagnostic(`\n${times.join('\n')}`);
  });
});
