import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { followConfiguration } from '../../src/cli/follow-configuration.ts';
import { systemClock } from '../../src/clock.ts';
import { loadConfig } from '../../src/config/load.ts';
import { directKeeper } from '../../src/daemon/direct-keeper.ts';
import { createFarm } from '../../src/farm/create.ts';
import { siteOf } from '../../src/master/site.ts';
import { createSpotFleet } from '../../src/spot/fleet.ts';

const EXAMPLE = readFileSync(path.join(import.meta.dirname, '../config/fixtures/manual.conf'), 'utf8')
  .replace(/^data_snapshots.*$/m, 'data_snapshots = snap-01')
  .replace('[MASTER]', '[MASTER]\nname = a master');

/** A configuration file that a balancer follows; `whileWaiting` happens before it looks a second time. */
async function follow(t: TestContext) {
  const directory = mkdtempSync(path.join(tmpdir(), 'follow-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = path.join(directory, 'aws_balancer.conf');
  writeFileSync(file, EXAMPLE);
  const keeper = directKeeper({
    configFile: file,
    parts: { loadConfig, findRenderfarm: async () => path.join(directory, 'renderfarm.conf'), createFarm },
  });
  const { config } = await keeper.readConfig();
  const state = { waits: 0, whileWaiting: () => {}, warnings: 0 };
  const silent = () => {};
  const configuration = followConfiguration({
    keeper,
    clock: {
      ...systemClock,
      sleep: async () => {
        state.waits += 1;
        state.whileWaiting();
        state.whileWaiting = () => {};
      },
    },
    log: {
      error: silent,
      warn: () => {
        state.warnings += 1;
      },
      info: silent,
      debug: silent,
    },
    first: { config, site: siteOf(config, undefined, 'host') },
    fleetAt: site =>
      createSpotFleet({ ec2: () => assert.fail('asked EC2'), site, findAddress: async () => '192.0.2.1' }),
  });
  await configuration.readIfWritten();
  state.waits = 0;
  return { file, state, configuration };
}

const withData = (snapshots: string) => EXAMPLE.replace('snap-01', snapshots);
const dataOf = (config: { readonly slave: { readonly dataSnapshots: readonly string[] } } | undefined) =>
  config?.slave.dataSnapshots.join(' ');

describe('a configuration file that is followed', () => {
  it('is read again once it was written, and only then', async t => {
    const { file, state, configuration } = await follow(t);
    assert.equal(await configuration.readIfWritten(), undefined);
    assert.equal(state.waits, 0);
    writeFileSync(file, withData('snap-02'));
    assert.equal(dataOf(await configuration.readIfWritten()), 'snap-02');
    assert.equal(dataOf(configuration.current().config), 'snap-02');
    assert.equal(await configuration.readIfWritten(), undefined);
  });

  it('is read again when another file has taken its place', async t => {
    const { file, configuration } = await follow(t);
    writeFileSync(`${file}.new`, withData('snap-02'));
    renameSync(`${file}.new`, file);
    assert.equal(dataOf(await configuration.readIfWritten()), 'snap-02');
  });

  it('and says what it said before changes nothing', async t => {
    const { file, configuration } = await follow(t);
    utimesSync(file, 1, 1);
    assert.equal(await configuration.readIfWritten(), undefined);
    writeFileSync(file, `# a comment\n${EXAMPLE}`);
    assert.equal(await configuration.readIfWritten(), undefined);
  });

  it('is left alone while it is being written', async t => {
    const { file, state, configuration } = await follow(t);
    writeFileSync(file, EXAMPLE.slice(0, 100));
    state.whileWaiting = () => writeFileSync(file, withData('snap-02'));
    assert.equal(await configuration.readIfWritten(), undefined);
    assert.equal(dataOf(await configuration.readIfWritten()), 'snap-02');
  });

  it('and is wrong, or gone, is refused once; the next good one is taken', async t => {
    const { file, configuration } = await follow(t);
    writeFileSync(file, EXAMPLE.replace(/^poll_interval.*$/m, 'poll_interval = often'));
    await assert.rejects(configuration.readIfWritten(), /aws_balancer\.conf:\d+: .*poll_interval/s);
    assert.equal(await configuration.readIfWritten(), undefined);
    rmSync(file);
    await assert.rejects(configuration.readIfWritten(), /there is no such file/);
    assert.equal(await configuration.readIfWritten(), undefined);
    assert.equal(dataOf(configuration.current().config), 'snap-01');
    writeFileSync(file, withData('snap-02'));
    assert.equal(dataOf(await configuration.readIfWritten()), 'snap-02');
  });

  it('may not change the name of the master', async t => {
    const { file, configuration } = await follow(t);
    writeFileSync(file, EXAMPLE.replace('a master', 'another'));
    await assert.rejects(configuration.readIfWritten(), /name can only be changed by a restart/);
    assert.equal(configuration.current().site.name, 'a master');
  });

  it('is read at a signal whether it was written or not', async t => {
    const { configuration } = await follow(t);
    assert.equal(dataOf(await configuration.read()), 'snap-01');
  });
});
