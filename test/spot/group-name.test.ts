import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { OPTIONS } from '../../src/config/options.ts';
import { groupName } from '../../src/spot/security-group.ts';

it("the name of a master's security group is one that EC2 takes, and no other master's", () => {
  const name = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 256 })
    .filter(text => OPTIONS.MASTER.name.parse(text) !== undefined);
  fc.assert(
    fc.property(
      fc.constantFrom('gbrowse @ Zürich/1', 'gbrowse @ Zörich/1', '蜂', 'x'.repeat(256)),
      name,
      (one, other) => {
        for (const master of [one, other])
          assert.match(groupName(master), /^[\w .\-:/()#,@[\]+=&;{}!$*]{1,255}$/);
        assert.equal(groupName(one) === groupName(other), one === other);
      },
    ),
  );
  assert.equal(groupName('i-0123456789abcdef0'), 'gbrowse-aws-balancer i-0123456789abcdef0');
});
