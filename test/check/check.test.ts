import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { check, type Report } from '../../src/check/check.ts';
import { type Finding, notChecked, ok, problem, skipped, warning } from '../../src/check/finding.ts';
import { reportAsJson, reportAsText } from '../../src/check/print.ts';
import type { Topic } from '../../src/check/topic.ts';
import { TOPICS } from '../../src/check/topics.ts';
import { createWorld, type Edges, type World } from '../../src/check/world.ts';
import { Ec2Error } from '../../src/ec2/errors.ts';
import { failure, usageError } from '../../src/errors.ts';

const EDGES: Edges = {
  env: {},
  hostName: 'host',
  settingsFile: '/nonexistent',
  shippedConfig: '/nonexistent',
  findConfigFile: () => Promise.reject(usageError('no configuration file')),
  readMetadata: () => Promise.resolve(undefined),
  machineVendor: () => Promise.resolve(undefined),
  connect: () => Promise.reject(new Error('no EC2 here')),
  findAddress: () => Promise.reject(failure('no address')),
  fetchDate: () => Promise.resolve(undefined),
};

const world = (signal: AbortSignal = new AbortController().signal): World =>
  createWorld({ keys: {}, timeLimit: 60_000 }, EDGES, { signal, answered: () => {}, end: () => {} });

const topic = (name: string, check: Topic['check']): Topic => ({ name, check });
const fails = (name: string, error: Error) => topic(name, () => Promise.reject(error));

describe('the topics', () => {
  test('a topic that fails is a finding of its own and hides no other', async () => {
    const topics = [
      fails('configuration', usageError('there is no such file')),
      topic('farm file', () => Promise.resolve([ok('It is there.')])),
      fails('image', notChecked('no credentials')),
      fails('price', new Ec2Error('DescribeSpotPriceHistory', 'UnauthorizedOperation', 'You may not', 403)),
      fails('network', new Ec2Error('DescribeSubnets', 'NoAnswer', 'no answer within the time limit')),
      fails('snapshots', new Ec2Error('DescribeSnapshots', 'InternalError', 'broken', 500)),
    ];
    const { result, findings } = await check(topics, world());
    assert.equal(result, 'problem');
    assert.deepEqual(
      findings.map(({ topic: name, verdict, message }) => [name, verdict, message]),
      [
        ['configuration', 'problem', 'There is no such file.'],
        ['farm file', 'ok', 'It is there.'],
        ['image', 'skipped', 'not checked: no credentials'],
        ['price', 'skipped', 'not checked: AWS denies ec2:DescribeSpotPriceHistory'],
        ['network', 'problem', 'DescribeSubnets: no answer within the time limit.'],
        ['snapshots', 'problem', 'DescribeSnapshots: broken (InternalError).'],
      ],
    );
  });

  test('the result is the worst; what was skipped does not count', async () => {
    const one = (finding: Finding) => topic('it', () => Promise.resolve([finding]));
    const skips = fails('other', notChecked('this and that'));
    const results = [ok('x'), warning('x'), problem('x')].map(finding =>
      check([one(finding), skips], world()),
    );
    assert.deepEqual(
      (await Promise.all(results)).map(({ result }) => result),
      ['ok', 'warning', 'problem'],
    );
  });

  test('when the time is up, what has not answered is a problem, and the rest is said', async () => {
    const time = new AbortController();
    const hangs = topic('mod_status', () => new Promise(() => {}));
    const answers = topic('farm file', async () => {
      setImmediate(() => time.abort());
      return [ok('It is there.')];
    });
    const { findings } = await check([hangs, answers], world(time.signal));
    assert.deepEqual(
      findings.map(({ topic: name, verdict }) => [name, verdict]),
      [
        ['mod_status', 'problem'],
        ['farm file', 'ok'],
      ],
    );
  });

  test('a bug of the program is not taken for a finding', async () => {
    await assert.rejects(check([fails('it', new TypeError('x is not a function'))], world()), TypeError);
  });

  test('without a configuration each topic says why it was not checked, except the one that reports the configuration', async () => {
    const { findings } = await check(TOPICS, world());
    const said = new Map(findings.map(it => [it.topic, it]));
    assert.equal(said.get('configuration')?.verdict, 'problem');
    for (const name of ['mod_status', 'farm file', 'permissions', 'image', 'price', 'network']) {
      assert.deepEqual(
        [said.get(name)?.verdict, said.get(name)?.message],
        ['skipped', 'not checked: there is no readable configuration'],
        name,
      );
    }
  });

  test('each has a name of its own', () => {
    assert.equal(new Set(TOPICS.map(({ name }) => name)).size, TOPICS.length);
  });
});

describe('the report', () => {
  const PRINT = {
    width: 80,
    colour: false,
    utf8: true,
    start: 'To start: service gbrowse-aws-balancer start',
  };
  const finding = fc.record({
    topic: fc.constantFrom('configuration', 'mod_status', 'instance type'),
    verdict: fc.constantFrom('ok' as const, 'warning' as const, 'problem' as const, 'skipped' as const),
    message: fc.lorem({ maxCount: 30 }),
    fix: fc.lorem({ maxCount: 20 }).map(text => `${text}\n    sudo ${text}`),
  });
  const report = fc.array(finding, { minLength: 1 }).map((findings): Report => ({ result: 'ok', findings }));

  test('is no wider than the terminal, but for lines that are to be copied', () => {
    fc.assert(
      fc.property(report, fc.integer({ min: 40, max: 200 }), (given, width) => {
        for (const line of reportAsText(given, { ...PRINT, width }).split('\n')) {
          assert.ok(line.length <= Math.min(width, 100) || /^ +sudo /.test(line), line);
          assert.doesNotMatch(line, / $/);
        }
      }),
    );
  });

  test('says every message and every line to copy, whole', () => {
    fc.assert(
      fc.property(report, given => {
        const text = reportAsText(given, PRINT);
        const words = text.replaceAll(/\s+/g, ' ');
        for (const { message, fix } of given.findings) {
          assert.ok(words.includes(message));
          assert.ok(text.includes(`    ${fix?.split('\n    ')[1]}\n`));
        }
      }),
    );
  });

  test('has colours only where they are asked for', () => {
    fc.assert(
      fc.property(report, given => {
        const plain = reportAsText(given, PRINT);
        assert.equal(stripVTControlCharacters(plain), plain);
        const colourful = reportAsText(given, { ...PRINT, colour: true });
        assert.notEqual(colourful, plain);
        assert.equal(stripVTControlCharacters(colourful), plain);
      }),
    );
  });

  const closings: readonly (readonly [readonly Finding[], RegExp])[] = [
    [[ok('x')], /^Everything is in place\. To start: service gbrowse-aws-balancer start$/m],
    [[ok('x'), skipped('x')], /^No problem, 1 not checked\. To start/m],
    [[skipped('x')], /^No problem, 1 not checked\. To start/m],
    [[problem('x'), skipped('x')], /^1 problem, 0 warnings, 1 not checked\. Fix the problems/m],
    [[ok('x'), warning('x')], /^No problem, 1 warning\. To start/m],
    [
      [problem('x'), problem('x'), warning('x')],
      /^2 problems, 1 warning\. Fix the problems, then run check again\.$/m,
    ],
  ];
  for (const [given, expected] of closings) {
    test(`ends with ${expected.source}`, () => {
      const findings = given.map(it => ({ topic: 'it', ...it }));
      assert.match(reportAsText({ result: 'ok', findings }, PRINT), expected);
    });
  }

  test('as JSON has all of it', () => {
    const findings = [
      { topic: 'price', ...warning('dear', 'In x:\n    spot_bid = 1', { details: { bid: 0.1 } }) },
    ];
    assert.deepEqual(JSON.parse(reportAsJson({ result: 'warning', findings }, '1.2.3', new Date(0))), {
      version: '1.2.3',
      checkedAt: '1970-01-01T00:00:00.000Z',
      result: 'warning',
      findings: [
        {
          topic: 'price',
          verdict: 'warning',
          message: 'dear',
          fix: 'In x:\n    spot_bid = 1',
          details: { bid: 0.1 },
        },
      ],
    });
  });
});
