import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OPTIONS, optionsOf } from '../../src/config/options.ts';

const all = [...optionsOf('MASTER'), ...optionsOf('SLAVE')];

describe('the table of options', () => {
  it('names every option once', () => {
    const names = all.map(option => option.name);
    assert.deepEqual([...new Set(names)], names);
  });

  for (const { name, meaning, expected, whenUnset, parse } of all) {
    it(`describes ${name} for the documentation, with a default that is of its own form`, () => {
      assert.match(meaning, /^[A-Z].*\.$/);
      assert.match(expected, /^[^.].*[^.]$/);
      if (typeof whenUnset === 'object' && 'default' in whenUnset) {
        assert.notEqual(parse(whenUnset.default), undefined);
      }
    });
  }

  it("has the manual's required options, and no other ones", () => {
    const required = all.filter(option => option.whenUnset === 'required' || option.warnsUnset === true);
    assert.deepEqual(
      required.map(option => option.name),
      ['poll_interval', 'server_status_url', 'instance_type', 'spot_bid'],
    );
  });

  it('names an option as the configuration does, but for the plural of lists', () => {
    for (const options of Object.values(OPTIONS)) {
      for (const [key, { name }] of Object.entries(options)) {
        const snake = key.replaceAll(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);
        assert.ok([name, `${name}s`].includes(snake), `${key} is ${name}`);
      }
    }
  });
});
