import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { choiceLines, choices, chosen } from '../../src/login/choose.ts';
import type { Slave } from '../../src/spot/slave.ts';

const MINUTE = 60_000;

function slave(instanceId: string, launchedAt: number, more: Partial<Slave> = {}): Slave {
  return {
    instanceId,
    launchedAt,
    state: 'running',
    instanceType: 'm5.large',
    availabilityZone: 'us-west-2a',
    address: `10.0.0.${instanceId.slice(2)}`,
    ports: [8101],
    reclaimed: false,
    endedByUser: false,
    data: '',
    imageId: 'ami-1',
    ...more,
  };
}

const two = choices([slave('i-7', 2), slave('i-9', 1), slave('i-5', 0, { state: 'terminated' })]);

describe('the slave that a word means', () => {
  for (const [word, meant] of [
    ['i-7', 'i-7'],
    ['10.0.0.7', 'i-7'],
    ['1', 'i-9'],
    ['2', 'i-7'],
  ] as const) {
    test(`${word} of two`, () => assert.equal(chosen(two, word, 0)?.instanceId, meant));
  }

  test('none is needed for the only one, and of two none is meant', () => {
    assert.equal(chosen(two.slice(0, 1), undefined, 0)?.instanceId, 'i-9');
    assert.equal(chosen(two, undefined, 0), undefined);
  });

  for (const word of ['i-5', '0', '3', '-1', '', '1e0', '10.0.0.5']) {
    test(`"${word}" is no slave that runs; the message lists them`, () => {
      assert.throws(
        () => chosen(two, word, MINUTE),
        /no slave of this master[\s\S]*\n1 {2}i-9[\s\S]*\n2 {2}i-7/,
      );
    });
  }

  test('without slaves it says so', () => {
    assert.throws(() => chosen([], '1', 0), /there are no slaves/);
  });
});

test('the list is numbered in the order of status, and says what has no address', () => {
  const list = choices([slave('i-7', MINUTE), slave('i-1', 0, { state: 'pending', address: '' })]);
  assert.deepEqual(choiceLines(list, 2 * MINUTE).length, 2);
  const { address: _, ...without } = slave('i-1', 0, { state: 'pending' });
  assert.deepEqual(choiceLines([without], 2 * MINUTE), [
    '1  i-1  pending  2 min  m5.large  us-west-2a  no address yet',
  ]);
});
