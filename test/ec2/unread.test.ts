import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withoutUnread } from '../../src/ec2/unread.ts';

describe('an answer of EC2 without what the program does not read', () => {
  for (const [what, xml, left] of [
    ['nothing to leave out', '<a><instanceId>i-1</instanceId></a>', '<a><instanceId>i-1</instanceId></a>'],
    [
      'a field',
      '<a><keyName>k</keyName><instanceId>i-1</instanceId></a>',
      '<a><instanceId>i-1</instanceId></a>',
    ],
    ['an empty field', '<a><keyName/><b>1</b></a>', '<a><b>1</b></a>'],
    [
      'a list with fields of the same names in it',
      '<a><networkInterfaceSet><item><groupSet><groupId>sg</groupId></groupSet><vpcId>v</vpcId></item></networkInterfaceSet><b/></a>',
      '<a><b/></a>',
    ],
    ['a name that begins alike', '<a><keyNames>1</keyNames></a>', '<a><keyNames>1</keyNames></a>'],
    ['a field that does not end', '<a><keyName>k<vpcId>v</vpcId></a>', '<a><keyName>k</a>'],
    ['a tag that does not end', '<a><keyName', '<a><keyName'],
    ['no XML', 'text > < text', 'text > < text'],
  ] as const) {
    it(what, () => {
      assert.equal(withoutUnread('DescribeInstances', xml), left);
    });
  }

  it('is the whole answer of an action that is rare', () => {
    const xml = '<a><keyName>k</keyName></a>';
    assert.equal(withoutUnread('DescribeKeyPairs', xml), xml);
  });
});
