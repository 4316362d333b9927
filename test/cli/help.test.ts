import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { COMMANDS } from '../../src/cli/commands.ts';
import { optionsOf } from '../../src/cli/given.ts';
import { helpText } from '../../src/cli/help.ts';

const LOOK = { colour: false, utf8: true };
const NAMES = [undefined, ...COMMANDS.map(({ name }) => name)];

describe('--help', () => {
  for (const name of NAMES) {
    const of = name ?? 'the program';

    it(`of ${of} fits every width from 40 to 200 columns without breaking a word`, () => {
      const words = (text: string) => text.replaceAll(' \\\n', '\n').split(/\s+/).filter(Boolean);
      const wide = words(helpText(name, { ...LOOK, width: 200 }));
      for (let width = 40; width <= 200; width++) {
        const text = helpText(name, { ...LOOK, width });
        assert.deepEqual(words(text), wide, `width ${width}`);
        for (const line of text.split('\n')) {
          assert.ok(line.length <= width, `width ${width}: ${line}`);
          assert.doesNotMatch(line, / $/);
        }
      }
    });

    it(`of ${of} has no empty line between the options of a group`, () => {
      for (const width of [40, 80]) {
        assert.doesNotMatch(helpText(name, { ...LOOK, width }), /\n\n {2}|\n\n\n/);
      }
    });

    it(`of ${of} names each of its options once, and an example`, () => {
      const text = helpText(name, { ...LOOK, width: 80 });
      for (const option of optionsOf(name ?? 'run')) {
        assert.equal(
          text.split(`\n  --${option.name}`).filter(it => /^[\s\n]/.test(it)).length,
          1,
          option.name,
        );
      }
      assert.match(
        text,
        name === undefined ? /\nExamples\n/ : new RegExp(`\\n {4}gbrowse-aws-balancer ${name}`),
      );
    });
  }

  it('of the program lists every command', () => {
    const text = helpText(undefined, { ...LOOK, width: 80 });
    for (const { name } of COMMANDS) assert.match(text, new RegExp(`\\n  ${name} +[A-Z]`));
  });

  it('says the same in colours', () => {
    const plain = helpText('run', { ...LOOK, width: 80 });
    assert.equal(stripVTControlCharacters(helpText('run', { ...LOOK, colour: true, width: 80 })), plain);
  });
});
