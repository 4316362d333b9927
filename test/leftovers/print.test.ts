import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOUR, MINUTE } from '../../src/clock.ts';
import { Ec2Error } from '../../src/ec2/errors.ts';
import type { Leftovers } from '../../src/leftovers/find.ts';
import { leftoversAsJson, leftoversAsText, outcomeAsText } from '../../src/leftovers/print.ts';
import type { Resource } from '../../src/leftovers/resource.ts';

const NOW = Date.parse('2026-01-02T03:04:05Z');
const of = { master: 'web1' } as const;
const INSTANCE: Resource = {
  ...of,
  kind: 'instance',
  id: 'i-0123456789abcdef0',
  bornAt: NOW - 3 * HOUR,
  what: 'm5.large, running',
  cost: 0.3,
};
const GROUP: Resource = {
  ...of,
  kind: 'security group',
  id: 'sg-0123456789abcdef0',
  what: 'gbrowse-aws-balancer web1',
  cost: 0,
};
const VOLUME: Resource = {
  ...of,
  kind: 'volume',
  id: 'vol-0123456789abcdef0',
  bornAt: NOW - 90 * MINUTE,
  what: '20 GiB io2, available',
};
const SNAPSHOT: Resource = {
  ...of,
  kind: 'snapshot',
  id: 'snap-0123456789abcdef0',
  bornAt: NOW,
  what: '20 GiB, completed',
  isData: true,
};
const NOTHING = { leftovers: [], held: [], kept: [] };

describe('what is left over, in words', () => {
  it('is a table with a sum', () => {
    const found: Leftovers = {
      masters: [{ ...NOTHING, master: 'web1', leftovers: [INSTANCE, VOLUME, GROUP], kept: [SNAPSHOT] }],
      unlisted: [],
    };
    assert.equal(
      leftoversAsText(found, NOW),
      `Master "web1": 3 left over, at most $0.30 so far (without those marked ?)

                                         age      cost
  instance        i-0123456789abcdef0    3 h     $0.30  m5.large, running
  volume          vol-0123456789abcdef0  90 min      ?  20 GiB io2, available
  security group  sg-0123456789abcdef0   -           -

  kept: snapshot snap-0123456789abcdef0 is complete, so it counts as data

Costs are upper estimates: instances at their maximum price (the bid),
storage at the list price of us-east-1 and us-west-2; ? marks an unknown price.`,
    );
  });

  it('is one line when there is nothing', () => {
    const found = { masters: [{ ...NOTHING, master: 'web1' }], unlisted: [] };
    assert.equal(leftoversAsText(found, NOW), 'Master "web1": nothing is left over');
  });

  it('says who holds what is held, and what was not listed', () => {
    const found: Leftovers = {
      masters: [
        {
          ...NOTHING,
          master: 'web1',
          held: [{ why: 'a balancer is running on this machine', resources: [INSTANCE, GROUP] }],
        },
      ],
      unlisted: [{ kind: 'volume', error: new Ec2Error('DescribeVolumes', 'UnauthorizedOperation', 'No.') }],
    };
    assert.equal(
      leftoversAsText(found, NOW),
      `Master "web1": nothing is left over
  held: a balancer is running on this machine
        (1 instance, 1 security group)

EC2 did not list volumes, there may be leftovers among them: DescribeVolumes: UnauthorizedOperation: No. (allow ec2:DescribeVolumes to this user or role)`,
    );
  });

  it('and as JSON has every time and cost as a number or ISO time', () => {
    const found: Leftovers = {
      masters: [{ ...NOTHING, master: 'web1', leftovers: [INSTANCE] }],
      unlisted: [],
    };
    const outcomes = [{ resource: INSTANCE, became: 'failed', why: 'No.' } as const];
    const { isData: _, ...rest } = JSON.parse(leftoversAsJson(found, outcomes));
    assert.deepEqual(rest, {
      masters: [
        {
          master: 'web1',
          leftovers: [
            {
              kind: 'instance',
              id: 'i-0123456789abcdef0',
              what: 'm5.large, running',
              bornAt: '2026-01-02T00:04:05.000Z',
              costAtMost: 0.3,
            },
          ],
          held: [],
          kept: [],
        },
      ],
      unlisted: [],
      outcomes: [{ kind: 'instance', id: 'i-0123456789abcdef0', became: 'failed', why: 'No.' }],
    });
  });

  it('says of each what became of it', () => {
    assert.equal(
      outcomeAsText({ resource: INSTANCE, became: 'removed' }),
      'instance i-0123456789abcdef0: terminated',
    );
    assert.equal(
      outcomeAsText({ resource: VOLUME, became: 'gone' }),
      'volume vol-0123456789abcdef0: deleted with its instance',
    );
    assert.equal(
      outcomeAsText({ resource: GROUP, became: 'gone' }),
      'security group sg-0123456789abcdef0: already gone',
    );
    assert.equal(
      outcomeAsText({ resource: GROUP, became: 'failed', why: 'No.' }),
      'security group sg-0123456789abcdef0: could not be removed: No.',
    );
  });
});
