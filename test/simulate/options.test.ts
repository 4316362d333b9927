import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { resolveOptions } from '../../src/cli/getopt.ts';
import { readOptions } from '../../src/cli/given.ts';
import { COMMAND_LINE } from '../../src/cli/options.ts';
import { asJson } from '../../src/simulate/json.ts';
import { simulationOptions } from '../../src/simulate/options.ts';
import { simulate } from '../../src/simulate/simulate.ts';
import { createDirectory, logLine } from './files.ts';

const directory = createDirectory();
after(directory.remove);

const REST =
  '[MASTER]\npoll_interval = 0.5\nserver_status_url = http://localhost/server-status\n[SLAVE]\ninstance_type = m5.large\nspot_bid = 0.2\nports = 8101\n';
const conf = directory.file('own.conf', `[LOAD TABLE]\n1 1 3\n5 3 6\n${REST}`);
const other = directory.file('other.conf', `[LOAD TABLE]\n0.5 1 1\n${REST}`);
const START = Date.UTC(2026, 9, 1);
const log = (name: string, from: number, count: number) =>
  directory.file(name, Array.from({ length: count }, (_, second) => logLine(from + second * 1000)).join(''));
const one = log('one.log', START, 300);
const two = log('two.log', START + 300_000, 100);

/** What `simulate` with these words would do. */
async function asked(...words: readonly string[]) {
  const { command, args } = resolveOptions(['simulate', ...words], COMMAND_LINE);
  assert.equal(command, 'simulate');
  return simulationOptions(readOptions('simulate', args));
}

/** The requests of the load that is replayed. */
async function requests(...words: readonly string[]): Promise<number | undefined> {
  const { trace } = (await asked('--conf', conf, ...words)).options;
  return trace.cumulative.at(-1);
}

describe('the options of simulate', () => {
  it('name the logs in any way: after --log, each with its own --log, or alone', async () => {
    assert.equal(await requests('--log', one), 300);
    assert.equal(await requests('--log', one, two), 400);
    assert.equal(await requests(`--log=${two}`, '--log', one), 400);
    assert.equal(await requests(one, '--suggest', two), 400);
    assert.equal(await requests('--log', one, '--', two), 400);
  });

  it('name another load: a file of rates, or a trace; without any the day is meant', async () => {
    const rates = directory.file('rates', '1\n2\n3\n');
    assert.equal(await requests('--rates', rates), 6);
    assert.match((await asked('--conf', conf, '--trace', 'burst')).options.trace.name, /burst/);
    assert.match((await asked('--conf', conf)).options.trace.name, /day/);
  });

  it('name the configuration, as --conf or as --config, and a second one', async () => {
    for (const name of ['--conf', '--config', '-c']) {
      const { options } = await asked(name, conf, '--compare', other, '--trace', 'burst');
      assert.equal(options.own.name, conf);
      assert.deepEqual(
        options.own.settings.loadTable.map(row => row.min),
        [1, 3],
      );
      assert.equal(options.other?.name, other);
      assert.deepEqual(
        options.other?.settings.loadTable.map(row => row.min),
        [1],
      );
    }
  });

  it('say what the world is like', async () => {
    const { options, price } = await asked(
      '--conf',
      conf,
      '--boot-time',
      '60-120',
      '--interruptions',
      '0.02',
      '--price',
      '0.03',
      '--fixed',
      '4',
      '--suggest',
      '--trace',
      'burst',
    );
    assert.deepEqual(options.world.bootTime, [60_000, 120_000]);
    assert.equal(options.world.interruptions, 0.02);
    assert.equal(options.world.market.leastCost(0, 3_600_000), 0.03);
    assert.deepEqual([options.fixed, options.suggest, price], [4, true, '$0.03 an hour']);
  });

  it('without a price take the bid; with a history its prices of the own types', async () => {
    const plain = await asked('--conf', conf, '--trace', 'burst');
    assert.equal(plain.options.world.market.leastCost(0, 3_600_000), 0.2);
    assert.match(plain.price, /^\$0\.20 an hour \(the spot_bid/);
    const history = directory.file(
      'history.json',
      JSON.stringify({
        SpotPriceHistory: [
          {
            InstanceType: 'm5.large',
            AvailabilityZone: 'us-west-2a',
            SpotPrice: '0.05',
            Timestamp: '2026-10-01T00:00:00Z',
          },
          {
            InstanceType: 'c5.large',
            AvailabilityZone: 'us-west-2a',
            SpotPrice: '0.01',
            Timestamp: '2026-10-01T00:00:00Z',
          },
        ],
      }),
    );
    const { options } = await asked('--conf', conf, '--price', history, '--trace', 'burst');
    assert.ok(Math.abs(options.world.market.leastCost(0, 3_600_000) - 0.05) < 1e-12);
  });

  it('replay faster', async () => {
    const { options } = await asked('--conf', conf, '--log', one, '--speed', '10');
    assert.deepEqual([options.trace.seconds, options.trace.cumulative.at(-1)], [30, 300]);
  });

  it('with the same seed give the same answer, with another seed another', async () => {
    const answer = async (seed: string) => {
      const { options, ...about } = await asked(
        '--conf',
        conf,
        '--trace',
        'burst',
        '--interruptions',
        '0.5',
        '--boot-time',
        '30-200',
        '--seed',
        seed,
      );
      return JSON.stringify(asJson(simulate(options), about));
    };
    assert.equal(await answer('x'), await answer('x'));
    assert.notEqual(await answer('x'), await answer('y'));
  });

  it('warn of what is odd in a configuration', async () => {
    const odd = directory.file('odd.conf', `[LOAD TABLE]\n1 1 3\n${REST}colour = red\n`);
    const { remarks } = await asked('--conf', odd, '--compare', odd, '--trace', 'burst');
    assert.equal(remarks.length, 2);
    assert.match(remarks.join(), /odd\.conf:\d+: unknown option/);
  });

  const broken = directory.file('broken.conf', `[LOAD TABLE]\n1 3 1\n${REST}`);
  const wrong: readonly (readonly [words: readonly string[], exitStatus: number, message: RegExp])[] = [
    [['--trace', 'month'], 2, /--trace is "month", expected one of day, burst, week/],
    [['--log', one, '--trace', 'day'], 2, /--log and --trace: expected one load/],
    [['--rates', one, '--trace', 'day'], 2, /--rates and --trace: expected one load/],
    [['--speed', '0'], 2, /--speed is "0", expected a number from 0\.01 to 1000/],
    [['--speed', 'fast'], 2, /--speed is "fast"/],
    [['--boot-time', '120-60'], 2, /--boot-time is "120-60", expected seconds/],
    [['--boot-time', '1-2-3'], 2, /--boot-time/],
    [['--boot-time', '60-'], 2, /--boot-time/],
    [['--boot-time', '-5'], 2, /--boot-time/],
    [['--interruptions', '-1'], 2, /--interruptions is "-1"/],
    [['--fixed', '1.5'], 2, /--fixed is "1\.5", expected a whole number/],
    [['--workers', '16'], 2, /^--workers needs --service-time beside it$/],
    [['--service-time', '8'], 2, /^--service-time needs --workers beside it$/],
    [['--workers', '0', '--service-time', '8'], 2, /--workers is "0", expected a whole number of workers/],
    [['--workers', '1', '--service-time', '8', '--suggest'], 2, /^--suggest and --workers/],
    [['--price', '0'], 2, /--price is not a price/],
    [['--price', '/nowhere'], 1, /\/nowhere: there is no such file/],
    [['--compare', '/nowhere'], 2, /\/nowhere: there is no such file/],
    [['--compare', broken], 2, /broken\.conf:2: min is 3 and max is 1/],
    [['--log', '/nowhere'], 1, /\/nowhere: there is no such file/],
    [['--rates', '/nowhere'], 1, /\/nowhere: there is no such file/],
    [['--log'], 2, /--log needs a value/],
  ];
  for (const [words, exitStatus, message] of wrong) {
    it(`${words.join(' ').replaceAll(directory.path, '')}: an error that says what was expected`, async () => {
      await assert.rejects(asked('--conf', conf, ...words), { name: 'UserError', exitStatus, message });
    });
  }

  it('of other commands stay what they were: --log is --logfile', () => {
    assert.deepEqual(resolveOptions(['--log', 'FILE'], COMMAND_LINE).args, ['--logfile=FILE']);
    assert.throws(() => resolveOptions(['run', 'word'], COMMAND_LINE), /one word too many for run/);
    assert.throws(() => resolveOptions(['run', '--suggest'], COMMAND_LINE), /not an option of run/);
  });
});
