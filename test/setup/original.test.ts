import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { parseConfig } from '../../src/config/load.ts';
import { isDistributed, takeOver } from '../../src/setup/original.ts';

const root = path.resolve(import.meta.dirname, '../..');
const example = readFileSync(path.join(root, 'packaging/aws_balancer.conf'), 'utf8');
const original = readFileSync(path.join(root, 'test/config/fixtures/manual.conf'), 'utf8');
const with_ = (name: string, value: string, text = original) =>
  text.replace(new RegExp(`^${name} *=.*$`, 'm'), `${name} = ${value}`);

describe('the settings of the Perl original', () => {
  it('are none where the file is as it was distributed', () => {
    assert.deepEqual(takeOver(original, example), { text: example, taken: [], left: [] });
    assert.equal(isDistributed(original), true);
    // Debian's has another type of 2012.
    assert.equal(isDistributed(with_('instance_type', 'm1.medium')), true);
  });

  const decisions: [name: string, value: string, expected: string][] = [
    ['external_ip', '203.0.113.7', 'external_ip       = 203.0.113.7'],
    ['spot_bid', '0.25', 'spot_bid          = 0.25'],
    ['data_snapshots', 'snap-12345 snap-abcdef', 'data_snapshots    = snap-12345 snap-abcdef'],
    ['instance_type', 'c5.xlarge', 'instance_type     = c5.xlarge'],
    ['image_id', 'our own GBrowse', 'image_id          = our own GBrowse'],
    ['security_group', 'gbrowse slaves', 'security_group    = gbrowse slaves'],
  ];
  for (const [name, value, line] of decisions) {
    it(`${name} = ${value} is taken over, and with it the region, into a file that is right`, () => {
      const { text, taken, left } = takeOver(with_(name, value), example);
      assert.deepEqual([taken, left], [[name, 'region'], []]);
      assert.ok(text.includes(`\n${line}`), text);
      assert.match(text, /^region +=\s*us-west-2/m);
      assert.deepEqual(parseConfig('F', text).problems, []);
      assert.equal(text.split('\n').length, example.split('\n').length);
    });
  }

  it('another region is a decision of its own', () => {
    assert.deepEqual(takeOver(with_('region', 'eu-west-1'), example).taken, ['region']);
  });

  it('a load table of the administrator takes the place of the one in the package', () => {
    const changed = original.replace('15.0    8   8', '20 10 12');
    const { text, taken } = takeOver(changed, example);
    assert.deepEqual(taken, ['[LOAD TABLE]', 'region'].slice(0, taken.length));
    const table = parseConfig('F', text).config?.loadTable;
    assert.deepEqual(table?.at(-1), { requestsPerSecond: 20, min: 10, max: 12 });
    assert.equal(table?.length, 9);
  });

  it('what cannot work today is left, with the reason', () => {
    const types = takeOver(with_('instance_type', 'm2.xlarge'), example);
    assert.deepEqual(types.taken, []);
    assert.match(types.left.join(), /^instance_type = m2\.xlarge: .*previous generation/);
    const poll = takeOver(with_('poll_interval', '0'), example);
    assert.match(poll.left.join(), /^poll_interval = 0: expected a number of minutes/);
  });
});
