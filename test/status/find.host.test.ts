import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { findBalancer } from '../../src/status/find.ts';
import { startImds } from '../peers/imds.ts';

const GOOD = readFileSync(path.join(import.meta.dirname, '../config/fixtures/manual.conf'), 'utf8');

function configuration(t: TestContext, text: string): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'find-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = path.join(directory, 'aws_balancer.conf');
  writeFileSync(file, text);
  return file;
}

/** An environment of the process, for this test. */
function environment(t: TestContext, variables: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(variables)) {
    const before = process.env[name];
    process.env[name] = value;
    t.after(() => {
      if (before === undefined) delete process.env[name];
      else process.env[name] = before;
    });
  }
}

const running =
  (...masters: readonly string[]) =>
  async () =>
    masters;

test('the configuration says the name', async t => {
  const file = configuration(t, GOOD.replace('[MASTER]', '[MASTER]\nname = web one'));
  assert.deepEqual(await findBalancer(file, running('another')), { master: 'web one' });
});

test('or nobody does: then it is the name of the host', async t => {
  environment(t, { AWS_EC2_METADATA_DISABLED: 'true' });
  assert.deepEqual(await findBalancer(configuration(t, GOOD), running()), { master: hostname() });
});

test('on EC2 it is the id of the instance', async t => {
  const imds = await startImds({
    instanceId: 'i-0fedcba9876543210',
    region: 'us-west-2',
    zone: 'us-west-2a',
    image: 'ami-1',
    address: '10.0.0.1',
    subnet: 'subnet-1',
    vpc: 'vpc-1',
  });
  t.after(() => imds.stop());
  environment(t, {
    AWS_EC2_METADATA_DISABLED: 'false',
    AWS_EC2_METADATA_SERVICE_ENDPOINT: imds.endpoint,
  });
  assert.deepEqual(await findBalancer(configuration(t, GOOD), running()), { master: 'i-0fedcba9876543210' });
});

test('with mistakes in the configuration the only balancer that runs is meant, and the mistakes are said', async t => {
  const file = configuration(t, GOOD.replace(/^spot_bid.*$/m, 'spot_bid = much'));
  const found = await findBalancer(file, running('web'));
  assert.equal(found.master, 'web');
  assert.match(found.note ?? '', /aws_balancer\.conf:\d+: .*\nso this is the only balancer/);
});

test('of several none is guessed', async t => {
  const file = configuration(t, 'nonsense');
  await assert.rejects(findBalancer(file, running('a', 'b')), {
    name: 'UserError',
    exitStatus: 2,
    message: /aws_balancer\.conf:1: [\s\S]*balancers run for the masters "a", "b"$/,
  });
});

test('with mistakes, and none running, both are said', async t => {
  const found = await findBalancer(configuration(t, 'nonsense'), running());
  assert.equal(found.master, undefined);
  assert.match(found.note ?? '', /aws_balancer\.conf:1: /);
});

test('a file that was named and is not there is a mistake of the command line, whatever runs', async () => {
  await assert.rejects(findBalancer('/nonexistent/x.conf', running('web')), {
    exitStatus: 2,
    message: '/nonexistent/x.conf: there is no such file',
  });
});
