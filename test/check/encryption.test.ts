import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { judgeKeys, type KeyFacts } from '../../src/check/topics/encryption.ts';

const KEY = 'arn:aws:kms:us-west-2:123456789012:key/1';
const snapshot = (id: string, key?: string) => ({
  SnapshotId: id,
  ...(key !== undefined && { Encrypted: true, KmsKeyId: key }),
});
const image = (isEncrypted: boolean) => ({
  OwnerId: '210987654321',
  BlockDeviceMappings: [
    { DeviceName: '/dev/xvda', Ebs: { SnapshotId: 'snap-root', Encrypted: isEncrypted } },
    { DeviceName: '/dev/sdb', VirtualName: 'ephemeral0' },
  ],
});

describe('the keys that encrypt the volumes of slaves', () => {
  const cases: readonly [what: string, facts: Partial<KeyFacts>, verdicts: string, said: RegExp][] = [
    ['none', {}, 'ok', /are not encrypted/],
    ["AWS's own by default", { byDefault: 'alias/aws/ebs' }, 'ok', /needs no permission/],
    [
      "the account's own by default: whose it is, and the commands that allow it",
      { byDefault: KEY },
      'warning',
      /default for new volumes[\s\S]*describe-key --key-id arn[\s\S]*iam-policy --commands --conf F --kms-key arn/,
    ],
    [
      'one that the account names by an alias: its ARN first',
      { byDefault: 'alias/lab' },
      'warning',
      /describe-key --key-id alias\/lab --query KeyMetadata\.Arn\n.*--kms-key ARN$/,
    ],
    [
      "the image's, which are the data's too: once",
      { snapshots: [snapshot('snap-root', KEY), snapshot('snap-1', KEY)], data: ['snap-1'] },
      'warning',
      /\(the image, the data snapshots\)/,
    ],
    [
      "the image's, with which slaves are running",
      { snapshots: [snapshot('snap-root', KEY)], used: new Set([KEY]) },
      'ok',
      /slaves are running with it/,
    ],
    [
      "that of another account's image",
      { image: image(true) },
      'warning',
      /a key of account 210987654321[\s\S]*--kms-key ARN$/,
    ],
    ['none, of an image whose snapshots are not shown', { image: image(false) }, 'ok', /are not encrypted/],
  ];
  for (const [what, facts, verdicts, said] of cases) {
    test(what, () => {
      const found = judgeKeys({
        byDefault: undefined,
        image: undefined,
        snapshots: [],
        data: [],
        used: new Set(),
        file: 'F',
        ...facts,
      });
      assert.equal(found.map(it => it.verdict).join(' '), verdicts);
      assert.match(found.map(it => `${it.message}\n${it.fix ?? ''}`.trim()).join('\n'), said);
    });
  }
});
