import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { findOption, formatDocument, parseDocument, setOption } from '../../src/config/document.ts';

const manual = readFileSync(new URL('fixtures/manual.conf', import.meta.url), 'utf8');

/** Text that the grammar has something to say about. */
const configText = fc
  .array(
    fc.constantFrom(
      '\uFEFF',
      '[SLAVE]',
      '[load  table]',
      '[',
      ']',
      'ports',
      'a',
      '1 2 3',
      '=',
      '#',
      ' ',
      '\t',
      '\u00A0',
      '\r',
      '\n',
      '\r\n',
    ),
    { maxLength: 60 },
  )
  .map(pieces => pieces.join(''));

const value = fc
  .array(fc.stringMatching(/^[a-z0-9./:=_-]{1,12}$/), { maxLength: 3 })
  .map(words => words.join(' '));

/** A file in which `[SLAVE] ports` is set once. */
const fileWithPorts = fc
  .record({
    before: fc.constantFrom('', '\uFEFF', '# a comment\r\n', '[MASTER]\nports = 1\n'),
    heading: fc.constantFrom('[SLAVE]', '[slave]', '[Slave] # of the farm'),
    between: fc.constantFrom('', 'region=us-west-2\n', ' \t\r\n'),
    name: fc.constantFrom('ports', ' ports', 'ports ', 'ports\t\t', 'ports      '),
    lead: fc.constantFrom('', ' ', '\t', '   '),
    value,
    pad: fc.constantFrom('', ' ', '      ', '\t', ' \t '),
    comment: fc.constantFrom('', '# a comment', '#=', '# ports = 3'),
    lineEnd: fc.constantFrom('\n', '\r\n', '\r'),
    after: fc.constantFrom('', 'subnet =', '[MASTER]\nports = 2\n', '# the end\n\n'),
  })
  // A comment needs white space before it.
  .filter(({ lead, value, pad, comment }) => comment === '' || pad !== '' || (value === '' && lead !== ''))
  .map(
    part =>
      `${part.before}${part.heading}\n${part.between}${part.name}=${part.lead}${part.value}${part.pad}${part.comment}${part.lineEnd}${part.after}`,
  );

describe('the configuration document', () => {
  it('gives back any text as it was', () => {
    fc.assert(
      fc.property(fc.oneof(configText, fc.string({ unit: 'binary' })), text => {
        assert.equal(formatDocument(parseDocument(text)), text);
      }),
      { numRuns: 500 },
    );
  });

  it('numbers lines as an editor does, whatever ends them', () => {
    const { lines } = parseDocument('\uFEFF[MASTER]\r\na = 1\rb = 2\n\nc = 3');
    assert.deepEqual(
      lines.map(line => [line.number, line.section, line.kind]),
      [
        [1, 'MASTER', 'heading'],
        [2, 'MASTER', 'option'],
        [3, 'MASTER', 'option'],
        [4, 'MASTER', 'nothing'],
        [5, 'MASTER', 'option'],
      ],
    );
  });

  const readings: [line: string, name: string | undefined, value: string | undefined][] = [
    ['ports = 8101', 'ports', '8101'],
    ['ports=8101', 'ports', '8101'],
    ['  ports\t=\t8101 8102  ', 'ports', '8101 8102'],
    ['ports = 8101 # comment', 'ports', '8101'],
    ['ports = 8101\t# comment = 3', 'ports', '8101'],
    ['ports =                # comment', 'ports', ''],
    ['ports =', 'ports', ''],
    ['url = http://localhost/x#y?a=b', 'url', 'http://localhost/x#y?a=b'],
    ['  # ports = 8101', undefined, undefined],
    ['ports 8101', undefined, undefined],
    ['two words = 1', undefined, undefined],
    ['= 8101', undefined, undefined],
  ];
  for (const [line, name, expected] of readings) {
    it(`reads ${JSON.stringify(line)} as ${name === undefined ? 'no option' : `${name} = "${expected}"`}`, () => {
      const read = parseDocument(`[SLAVE]\n${line}`).lines[1];
      assert.deepEqual(read?.kind === 'option' ? [read.name, read.value] : [undefined, undefined], [
        name,
        expected,
      ]);
    });
  }

  it('takes the last line that has a value, as the original does', () => {
    const document = parseDocument('[SLAVE]\nports = 1\nports = 2\nports =\n[MASTER]\nports = 3\n');
    assert.deepEqual(
      [findOption(document, 'slave', 'ports')?.number, findOption(document, 'SLAVE', 'Ports')],
      [3, undefined],
    );
  });
});

describe('setting an option', () => {
  it('gives it the value and changes no other line', () => {
    fc.assert(
      fc.property(fileWithPorts, value, (text, wanted) => {
        const before = parseDocument(text);
        const after = setOption(before, 'SLAVE', 'ports', wanted);
        assert.equal(findOption(after, 'SLAVE', 'ports')?.value, wanted);
        const at = findOption(before, 'SLAVE', 'ports')?.number;
        const others = (lines: typeof before.lines) =>
          lines.filter(line => line.number !== at).map(line => line.raw);
        assert.deepEqual(others(after.lines), others(before.lines));
      }),
      { numRuns: 500 },
    );
  });

  it('keeps the comment and the line end, and any spacing when the value is the one that it has', () => {
    fc.assert(
      fc.property(fileWithPorts, value, (text, wanted) => {
        const before = parseDocument(text);
        const line = findOption(before, 'SLAVE', 'ports');
        const changed = findOption(setOption(before, 'SLAVE', 'ports', wanted), 'SLAVE', 'ports');
        const tail = /(?<!\S)#.*$|[\r\n]*$/s;
        assert.equal(tail.exec(changed?.raw ?? '')?.[0], tail.exec(line?.raw ?? '')?.[0]);
        assert.equal(formatDocument(setOption(before, 'SLAVE', 'ports', line?.value ?? '')), text);
      }),
      { numRuns: 500 },
    );
  });

  it('adds an option that is not there, and loses nothing of the file', () => {
    fc.assert(
      fc.property(configText, value, (text, wanted) => {
        const before = parseDocument(text);
        const after = setOption(before, 'SLAVE', 'data_snapshots', wanted);
        assert.equal(findOption(after, 'SLAVE', 'data_snapshots')?.value, wanted);
        const kept = formatDocument(after).split(/[\r\n]/);
        for (const line of text.split(/[\r\n]/)) assert.ok(kept.includes(line));
      }),
      { numRuns: 500 },
    );
  });

  it("writes the manual's file as a person would", () => {
    const set = (text: string, ...[section, option, value]: [string, string, string]) =>
      formatDocument(setOption(parseDocument(text), section, option, value));
    let text = set(manual, 'SLAVE', 'data_snapshots', 'snap-0aa');
    text = set(text, 'SLAVE', 'image_id', 'ami-0123456789abcdef0');
    text = set(text, 'MASTER', 'drain_time', '90');
    const changed = text.split('\n').filter(line => !manual.split('\n').includes(line));
    assert.deepEqual(changed, [
      'drain_time        = 90',
      'image_id          = ami-0123456789abcdef0 # AMI of the slave',
      'data_snapshots    = snap-0aa       # EBS snapshot(s) to attach to the slave',
    ]);
    assert.match(text, /server-status\ndrain_time {8}= 90\n\n\[SLAVE\]/);
  });

  const additions: [file: string, expected: string][] = [
    ['', '[SLAVE]\nports = 1\n'],
    ['[MASTER]', '[MASTER]\n\n[SLAVE]\nports = 1'],
    ['[MASTER]\r\n', '[MASTER]\r\n\r\n[SLAVE]\r\nports = 1\r\n'],
    ['[slave]', '[slave]\nports = 1'],
    ['[SLAVE]\n\n# about the master\n[MASTER]\n', '[SLAVE]\nports = 1\n\n# about the master\n[MASTER]\n'],
    ['[SLAVE]\r\nsubnet   =\r\n', '[SLAVE]\r\nsubnet   =\r\nports    = 1\r\n'],
  ];
  for (const [file, expected] of additions) {
    it(`adds it to ${JSON.stringify(file)}`, () => {
      const added = setOption(parseDocument(file), 'SLAVE', 'ports', '1');
      assert.equal(formatDocument(added), expected);
    });
  }

  it('unsets an option wherever the file sets it', () => {
    const document = setOption(parseDocument('[SLAVE]\nports = 1\nports = 2\n'), 'SLAVE', 'ports', '');
    assert.equal(findOption(document, 'SLAVE', 'ports')?.value, '');
  });

  for (const bad of ['two\nlines', ' space', '# comment', 'a # comment', 'a\r']) {
    it(`refuses ${JSON.stringify(bad)}, which the file could not hold`, () => {
      assert.throws(() => setOption(parseDocument(manual), 'SLAVE', 'ports', bad), /not a value/);
    });
  }
});
