import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import path from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { apacheMissing } from '../peers/apache.ts';
import { type Ec2StandIn, ec2Missing, startEc2 } from '../peers/ec2-stand-in.ts';
import { SLOW_SITE_MODULES, startFlood, startSlowSite } from '../peers/slow-site.ts';
import { createMaster, until } from './world.ts';

const skip = apacheMissing('status', ...SLOW_SITE_MODULES) || ec2Missing();

const PEOPLE = 60;
/** Long enough for a launch, a boot and the pages after it, on a slow machine too. */
const FLOOD = 40_000;

let ec2: Ec2StandIn;
before(async () => {
  if (skip === false) ec2 = await startEc2();
});
after(() => ec2?.stop());

/** What comes of a flood on 16 workers: a page takes 8 s there, and 1 s once the farm file lists slaves that draw it. */
async function flood(t: TestContext, overload: 'climb' | 'ignore') {
  const site = await startSlowSite(
    'if grep -q "^renderfarm = 1" "$(dirname "$0")/farm"; then sleep 1; else sleep 8; fi',
  );
  t.after(() => site.stop());
  const { statusUrl } = site;
  const master = createMaster(t, { ec2, name: overload, statusUrl, options: { overload } });
  symlinkSync(master.farmFile, path.join(site.directory, 'farm'));
  const balancer = master.start();
  await until('the load is read', () => /0 to 0 slaves wanted/.test(balancer.stderr()));

  const began = Date.now();
  const people = startFlood(`${site.origin}/slow`, PEOPLE);
  t.after(() => people.stop());
  await sleep(FLOOD);
  const served = people.served();
  const slaves = master.farm().length;
  await people.stop();
  const launches = (await master.account.calls('CreateFleet')).length;
  const firstSlaveAt = master.history().find(it => it.slaves.length > 0)?.at;
  balancer.signal('SIGTERM');
  assert.equal(await balancer.ended(), 0);
  assert.deepEqual(await master.account.remains(), []);
  const firstSlave = firstSlaveAt === undefined ? undefined : (firstSlaveAt - began) / 1000;
  t.diagnostic(
    `overload = ${overload}: ${FLOOD / 1000} s of ${PEOPLE} people: first slave after ${firstSlave?.toFixed(1) ?? '–'} s, ${slaves} slaves at the end, ${served} requests served`,
  );
  return { served, slaves, launches, said: balancer.stderr() };
}

test('a flood that keeps every worker busy launches slaves, which draw; with overload = ignore it does not', {
  skip,
}, async t => {
  const [climbing, ignoring] = await Promise.all([flood(t, 'climb'), flood(t, 'ignore')]);
  assert.equal(climbing.slaves, 2, 'as many as the last row of the table asks for');
  assert.equal(climbing.launches, 2, 'and not one more');
  assert.equal(ignoring.launches, 0);
  for (const { said } of [climbing, ignoring])
    assert.match(
      said,
      /Apache is overloaded: (Apache accepts connections and does not answer|no Apache worker)/,
    );
  assert.ok(climbing.served > 2 * ignoring.served, `${climbing.served} and ${ignoring.served} requests`);
});
