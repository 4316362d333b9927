import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type Machine, startMachine, until } from './fixtures/machine.ts';
import { rootsMissing } from './fixtures/roots.ts';
import { atTerminal, CTRL_C } from './fixtures/terminal.ts';

const PROGRAM = path.resolve(import.meta.dirname, '../../dist/gbrowse-aws-balancer');
const SITE = '/etc/apache2/sites-available/000-default.conf';
const MODULE = '/etc/apache2/mods-available/status.conf';
const BLOCK = '/etc/apache2/conf-available/gbrowse-aws-balancer-status.conf';
const SETUP = 'AWS_EC2_METADATA_DISABLED=true gbrowse-aws-balancer setup';
const YES = `${SETUP} --yes --region us-west-2`;
const DENIED = '<Location "/server-status">\n  Require all denied\n</Location>\n';

describe("setup switches mod_status on in Debian's Apache", { skip: rootsMissing() }, () => {
  const ends: (() => unknown)[] = [];
  let machine: Machine;
  let site = '';
  let module = '';
  before(async () => {
    const scope = { after: (end: () => unknown) => void ends.push(end) };
    machine = await startMachine(scope, { root: 'service' });
    machine.copyIn(PROGRAM, '/usr/bin/gbrowse-aws-balancer');
    machine.write('/etc/hosts', '127.0.0.1 localhost packaging\n');
    site = machine.read(SITE) ?? '';
    module = machine.read(MODULE) ?? '';
    await machine.must('chmod 755 /usr/bin/gbrowse-aws-balancer && apachectl start');
  });
  after(async () => {
    for (const end of ends.reverse()) await end();
  });
  beforeEach(async () => {
    machine.write(SITE, site);
    machine.write(MODULE, module);
    const ours = `${BLOCK} /etc/apache2/conf-enabled/${path.basename(BLOCK)}`;
    await machine.must(
      `rm -rf /etc/gbrowse2 /etc/apache2/conf-enabled/broken.conf ${ours}; a2dismod -qf status`,
    );
    await machine.must('apachectl start; apachectl graceful');
    await shows('404');
  });

  /** The HTTP status of the page that has the load; blank where nothing answers. */
  async function page(): Promise<string> {
    const ask = 'print $s "GET /server-status?auto HTTP/1.0\\r\\n\\r\\n"; print +(split " ", <$s>)[1]';
    return await machine.must(
      `perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new("localhost:80") or exit; ${ask}'`,
    );
  }
  const shows = (status: string) =>
    until(`the page gives "${status}"`, async () => (await page()) === status);

  const enabled = () => machine.must(`ls -l /etc/apache2/*-enabled; ls ${BLOCK} 2>/dev/null || true`);

  test('a no, and a run that only shows, change nothing', async t => {
    const before = await enabled();
    await machine.must(`${SETUP} --dry-run --region us-west-2`);
    const terminal = await atTerminal(t, machine, `env ${SETUP}`);
    await terminal.answer('it runs "a2enmod status" and reloads Apache', '');
    await terminal.answer('❯ Switch mod_status on', 'n');
    await terminal.answer('❯ AWS region of the slaves', CTRL_C);
    assert.equal(await terminal.ended(), 1);
    assert.equal(await enabled(), before);
    assert.equal(await page(), '404');
  });

  test('the module alone is enough as Debian ships it; afterwards it is on, and there is no question', async () => {
    const { status, output } = await machine.run(YES);
    assert.equal(status, 0, output);
    assert.match(output, /The module status of Apache is switched on \(a2enmod status\)/);
    assert.equal(machine.read(BLOCK), undefined);
    const { output: again } = await machine.run(YES);
    assert.match(again, /^mod_status: http:\/\/localhost\/server-status gives the load\.$/m);
    assert.doesNotMatch(again, /switch/);
  });

  test('a page that is denied for all gets a block of its own, which lets this machine alone read it', async () => {
    await machine.must('a2enmod -q status');
    machine.write(MODULE, module.replace(/Require local/, 'Require all denied'));
    await machine.must('apachectl graceful');
    await shows('403');
    const { status, output } = await machine.run(YES);
    assert.equal(status, 0, output);
    assert.match(output, /gbrowse-aws-balancer-status\.conf lets this machine read it/);
    assert.match(
      machine.read(BLOCK) ?? '',
      /<Location "\/server-status">\n {4}SetHandler server-status\n {4}Require local\n<\/Location>/,
    );
    assert.equal(await page(), '200');
  });

  const hopeless: [what: string, prepare: () => unknown, reason: RegExp, afterwards: string][] = [
    [
      'a virtual host that denies the page',
      () => machine.write(SITE, site.replace('</VirtualHost>', `${DENIED}</VirtualHost>`)),
      /could not be switched on: It does not help; everything is as it was\. .*403 Forbidden/,
      '403',
    ],
    [
      "a mistake in Apache's configuration",
      () => machine.write('/etc/apache2/conf-enabled/broken.conf', 'ThisIsNoDirective on\n'),
      /could not be switched on: .*ThisIsNoDirective/s,
      '404',
    ],
  ];
  for (const [what, prepare, reason, afterwards] of hopeless) {
    test(`${what}: everything is undone, Apache goes on, and setup too`, async () => {
      await prepare();
      const before = await enabled();
      await machine.run('apachectl graceful');
      const { status, output } = await machine.run(YES);
      assert.match(output, reason);
      assert.equal(status, 0, output);
      assert.equal(await enabled(), before);
      assert.notEqual(machine.read('/etc/gbrowse2/aws_balancer.conf'), undefined);
      await shows(afterwards);
    });
  }

  test('an Apache that does not run is not touched', async () => {
    const before = await enabled();
    await machine.must('apachectl stop');
    await shows('');
    const { output } = await machine.run(YES);
    assert.doesNotMatch(output, /switch it on at once|could not be/);
    assert.equal(await enabled(), before);
  });
});
