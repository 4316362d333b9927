import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { parseConfig } from '../../src/config/load.ts';
import { isUserError } from '../../src/errors.ts';
import { parseSettings } from '../../src/master/service-settings.ts';
import { diffLines } from '../../src/setup/changes.ts';
import { planChanges, withAnswers } from '../../src/setup/plan.ts';
import { withServiceValues } from '../../src/setup/service-file.ts';

const packaging = path.resolve(import.meta.dirname, '../../packaging');
const example = readFileSync(path.join(packaging, 'aws_balancer.conf'), 'utf8');
const service = readFileSync(path.join(packaging, 'default'), 'utf8');
const keys = { accessKey: 'AKIAIOSFODNN7EXAMPLE', secretKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const files = {
  configuration: { file: '/etc/gbrowse2/aws_balancer.conf', text: example },
  service: { file: '/etc/default/gbrowse-aws-balancer', text: service },
  base: example,
};

describe('the answers of setup', () => {
  const answers = { region: 'eu-west-1', instanceTypes: 'm6i.large m7i.large m5.large', spotBid: 0.06 };

  it('become lines of the configuration, and nothing else in it changes', () => {
    const text = withAnswers(example, answers);
    const { config, warnings } = parseConfig('F', text);
    assert.deepEqual(warnings, []);
    assert.deepEqual(config?.slave.instanceTypes, ['m6i.large', 'm7i.large', 'm5.large']);
    assert.equal(config?.slave.spotBid, 0.06);
    assert.equal(config?.slave.region, 'eu-west-1');
    const [before, after] = [example, text].map(it => it.split('\n'));
    const changed = after?.filter((line, at) => line !== before?.[at]) ?? [];
    assert.equal(changed.length, 3);
    assert.equal(after?.length, before?.length);
  });

  it('change nothing the second time', () => {
    const text = withAnswers(example, answers);
    assert.equal(withAnswers(text, answers), text);
    const again = { ...files, configuration: { ...files.configuration, text }, base: text };
    assert.deepEqual(planChanges(again, answers), []);
  });

  it('a bid that the file writes in another way keeps its line', () => {
    assert.equal(withAnswers(example, { spotBid: 0.1 }), example);
  });

  it('put keys into the file that root alone reads, and nowhere else', () => {
    const changes = planChanges(files, { ...answers, keys });
    assert.deepEqual(
      changes.map(({ file, mode }) => [file, mode]),
      [
        ['/etc/default/gbrowse-aws-balancer', 0o600],
        ['/etc/gbrowse2/aws_balancer.conf', undefined],
      ],
    );
    const { ACCESS_KEY, SECRET_KEY } = parseSettings(changes[0]?.after ?? '');
    assert.deepEqual([ACCESS_KEY, SECRET_KEY], [keys.accessKey, keys.secretKey]);
    assert.equal(changes[1]?.after.includes(keys.secretKey), false);
  });

  it('are shown before they are written, a secret excepted', () => {
    const temporary = { ...keys, sessionToken: 'FwoGZXIvYXdzEXAMPLETOKEN' };
    const shown = planChanges(files, { ...answers, keys: temporary })
      .flatMap(diffLines)
      .join('\n');
    assert.match(shown, /^- region +=/m);
    assert.match(shown, /^\+ region += eu-west-1/m);
    assert.match(shown, /^\+ SECRET_KEY=\(not shown\)$/m);
    assert.match(shown, /^\+ ACCESS_KEY=AKIA/m);
    for (const secret of [temporary.secretKey, temporary.sessionToken])
      assert.equal(shown.includes(secret), false);
  });
});

describe('the settings of the service', () => {
  const rows: [
    what: string,
    text: string,
    values: Parameters<typeof withServiceValues>[1],
    expected: string,
  ][] = [
    ['a line that is there', 'A=1\nB=2\n', { plain: { A: '3' } }, 'A=3\nB=2\n'],
    ['the last of several', 'A=1\nA=2\n', { plain: { A: '3' } }, 'A=1\nA=3\n'],
    ['a line that is prepared', '#export P=x\nA=1\n', { exported: { P: 'y' } }, 'export P=y\nA=1\n'],
    ['no line', 'A=1', { exported: { P: 'y' } }, 'A=1\nexport P=y\n'],
    ['no file', '', { plain: { A: '3' } }, 'A=3\n'],
    ['what sh would expand', '', { plain: { A: 'a $b `c` "d"' } }, `A='a $b \`c\` "d"'\n`],
    ['what String.replace would expand', 'A=1\n', { plain: { A: "$&$'".slice(0, 2) } }, "A='$&'\n"],
  ];
  for (const [what, text, values, expected] of rows) {
    it(`${what}: only that line changes`, () => assert.equal(withServiceValues(text, values), expected));
  }

  it('a value that would end its quotes is refused, without being shown', () => {
    assert.throws(
      () => withServiceValues('', { plain: { SECRET_KEY: "a'; touch /x; '" } }),
      error => isUserError(error) && /SECRET_KEY/.test(error.message) && !error.message.includes('touch'),
    );
  });
});

it('a difference shows the lines around it, and says where some are left out', () => {
  const lines = Array.from({ length: 30 }, (_, at) => `line ${at}`);
  const after = lines.with(3, 'changed').toSpliced(20, 1).toSpliced(29, 0, 'new');
  const shown = diffLines({ file: 'F', before: `${lines.join('\n')}\n`, after: `${after.join('\n')}\n` });
  assert.deepEqual(shown, [
    '--- F',
    '  line 1',
    '  line 2',
    '- line 3',
    '+ changed',
    '  line 4',
    '  line 5',
    '  ...',
    '  line 18',
    '  line 19',
    '- line 20',
    '  line 21',
    '  line 22',
    '  ...',
    '  line 28',
    '  line 29',
    '+ new',
  ]);
});
