import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createSdkEc2 } from '../../src/ec2/sdk.ts';
import { createMaster, type Master, SECRET } from '../e2e/world.ts';
import { type Ec2StandIn, ec2Missing, REGION, startEc2 } from '../peers/ec2-stand-in.ts';
import { type ModStatus, startModStatus } from '../peers/mod-status.ts';
import { until } from '../peers/until.ts';

const skip = ec2Missing();

/** Runs `gc` of the executable; stdout and stderr are one. */
async function gc(master: Master, ...words: readonly string[]) {
  const program = master.run(['gc', '--conf', master.confFile, ...words]);
  const status = await program.ended();
  const said = program.stdout() + program.stderr();
  assert.ok(!said.includes(SECRET));
  return { status, stdout: program.stdout(), said };
}

describe('gc over the wire', { skip, concurrency: true }, () => {
  let ec2: Ec2StandIn;
  let apache: ModStatus;
  before(async () => {
    [ec2, apache] = await Promise.all([startEc2(), startModStatus(6)]);
    process.env.AWS_ENDPOINT_URL_EC2 = ec2.endpoint;
  });
  after(() => Promise.all([ec2.stop(), apache.stop()]));

  test('lists what a killed balancer has left, and removes it with --yes alone', async t => {
    const master = createMaster(t, { ec2, name: 'gc killed', statusUrl: apache.url });
    const balancer = master.start();
    await master.serving(2);
    const before = await master.account.remains();

    const running = await gc(master, '--yes');
    assert.equal(running.status, 0);
    assert.match(running.said, /nothing is left over\n {2}held: a balancer is running on this machine\n/);
    assert.deepEqual((await master.account.remains()).toSorted(), before.toSorted());
    assert.equal(master.farm().length, 2);

    balancer.signal('SIGKILL');
    await balancer.ended();
    const listed = await gc(master);
    assert.equal(listed.status, 0, listed.said);
    for (const id of before) assert.ok(listed.stdout.includes(id), `${id} in\n${listed.stdout}`);
    assert.match(listed.stdout, /m5\.large, running/);
    assert.ok(listed.stdout.includes(`gbrowse-aws-balancer gc --conf ${master.confFile} --yes`));
    for (const line of listed.stdout.split('\n'))
      assert.ok(line.length <= 80 || line.includes('--conf'), line);
    assert.deepEqual((await master.account.remains()).toSorted(), before.toSorted(), 'it only listed');

    const removed = await gc(master, '--yes');
    assert.equal(removed.status, 0, removed.said);
    assert.match(removed.said, /instance i-\w+: terminated\n/);
    assert.match(removed.said, /waiting for 2 instances to end\n/);
    assert.match(removed.said, /security group sg-\w+: removed\n/);
    assert.deepEqual(await master.account.remains(), []);
    const again = await gc(master, '--yes');
    assert.deepEqual([again.status, again.stdout], [0, 'Master "gc killed": nothing is left over\n']);
  });

  test('--all-masters spares what may belong to a balancer elsewhere: it has an activity tag', async t => {
    const [one, two] = ['gc one', 'gc two'].map(name =>
      createMaster(t, { ec2, name, statusUrl: apache.url }),
    );
    assert.ok(one && two);
    const balancer = two.start();
    await two.serving(2);
    await until('it has written its activity tag', async () => {
      const { templates } = await two.account.state();
      return templates.some(({ tags }) => 'gbrowse-aws-balancer:alive' in tags);
    });
    const before = (await two.account.remains()).toSorted();
    const ours = await gc(one, '--all-masters', '--yes');
    assert.match(
      ours.said,
      /Master "gc two": nothing is left over\n {2}held: a balancer is running on this machine/,
    );
    // From here on nothing on this machine says that it lives, as if it ran on another one.
    balancer.signal('SIGKILL');
    await balancer.ended();
    const { status, said } = await gc(one, '--all-masters', '--yes');
    assert.equal(status, 0, said);
    assert.match(said, /^Master "gc one": nothing is left over$/m);
    assert.match(
      said,
      /Master "gc two": nothing is left over\n {2}held: a balancer on another machine was active [\d.]+ s ago\n/,
    );
    assert.deepEqual((await two.account.remains()).toSorted(), before);
    // But two's own machine knows better.
    assert.equal((await gc(two, '--yes')).status, 0);
    assert.deepEqual(await two.account.remains(), []);
  });

  test('of a sync that died it removes everything but the data', async t => {
    const master = createMaster(t, { ec2, name: 'gc sync', statusUrl: apache.url });
    const balancer = master.start();
    const [slave] = await master.serving(2);
    const sdk = createSdkEc2({
      region: REGION,
      credentials: { accessKeyId: master.account.accessKey, secretAccessKey: SECRET },
    });
    const tags = [
      { Key: 'gbrowse-aws-balancer:master', Value: 'gc sync' },
      { Key: 'gbrowse-aws-balancer:sync', Value: 'run 1' },
    ];
    // The stand-in's snapshots are complete at once.
    const { Snapshots = [] } = await sdk.ec2('CreateSnapshots', {
      InstanceSpecification: { InstanceId: slave?.id ?? '' },
      TagSpecifications: [{ ResourceType: 'snapshot', Tags: tags }],
    });
    sdk.close();
    const { status, said } = await gc(master, '--yes');
    assert.equal(status, 0, said);
    assert.match(said, /held: a balancer is running on this machine/);
    assert.ok(said.includes(`kept: snapshot ${Snapshots[0]?.SnapshotId} is complete`), said);
    const { snapshots, instances } = await master.account.state();
    assert.deepEqual([snapshots.length, instances.length], [Snapshots.length, 2]);
    balancer.signal('SIGTERM');
    assert.equal(await balancer.ended(), 0);
  });

  test('says what it could not remove, and ends with 1', async t => {
    const master = createMaster(t, { ec2, name: 'gc denied', statusUrl: apache.url });
    const balancer = master.start();
    await master.serving(2);
    balancer.signal('SIGKILL');
    await balancer.ended();
    const message = 'You are not authorized to perform this operation.';
    await master.account.fault({
      action: 'DeleteLaunchTemplate',
      code: 'UnauthorizedOperation',
      status: 403,
      message,
    });
    const { status, said } = await gc(master, '--yes');
    assert.equal(status, 1);
    assert.match(
      said,
      /launch template lt-\w+: could not be removed: DeleteLaunchTemplate: UnauthorizedOperation: .*allow ec2:DeleteLaunchTemplate/,
    );
    assert.match(said, /^1 of \d+ could not be removed; run it again later$/m);
    assert.deepEqual((await master.account.remains()).length, 1);
    const json = await gc(master, '--yes', '--json');
    assert.equal(json.status, 0);
    const [outcome] = JSON.parse(json.stdout).outcomes;
    assert.deepEqual([outcome.kind, outcome.became], ['launch template', 'removed']);
    assert.deepEqual(await master.account.remains(), []);
  });

  test('without permission to list says so, and ends with 1', async t => {
    const master = createMaster(t, { ec2, name: 'gc blind', statusUrl: apache.url });
    const denied = { code: 'UnauthorizedOperation', status: 403, message: 'No.' };
    await master.account.fault({ action: 'DescribeInstances', ...denied });
    const blind = await gc(master);
    assert.equal(blind.status, 1);
    assert.match(
      blind.said,
      /^resources in EC2 cannot be listed: DescribeInstances: UnauthorizedOperation: No\. \(allow ec2:DescribeInstances/,
    );
    await master.account.fault({ action: 'DescribeVolumes', ...denied });
    const dim = await gc(master);
    assert.equal(dim.status, 1);
    assert.match(dim.said, /nothing is left over\n\nEC2 did not list volumes/);
  });
});
