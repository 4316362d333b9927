import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  Ec2Error,
  FOREIGN_ANSWER,
  isNoSuch,
  isPassing,
  mayHaveHappened,
  NO_ANSWER,
  type Trouble,
  troubleOf,
  unlessGone,
} from '../../src/ec2/errors.ts';

const TROUBLES: readonly (readonly [code: string, trouble: Trouble])[] = [
  ['InsufficientInstanceCapacity', 'capacity'],
  ['UnfulfillableCapacity', 'capacity'],
  ['InsufficientFreeAddressesInSubnet', 'capacity'],
  ['SpotMaxPriceTooLow', 'price'],
  ['MaxSpotInstanceCountExceeded', 'quota'],
  ['VcpuLimitExceeded', 'quota'],
  ['RequestLimitExceeded', 'throttling'],
  ['Throttling', 'throttling'],
  ['UnauthorizedOperation', 'permission'],
  ['AuthFailure.ServiceLinkedRoleCreationNotPermitted', 'permission'],
  ['AuthFailure', 'credentials'],
  ['ExpiredToken', 'credentials'],
  ['InvalidInstanceID.NotFound', 'gone'],
  ['InvalidLaunchTemplateId.NotFound', 'gone'],
  ['InvalidLaunchTemplateName.NotFoundException', 'gone'],
  ['InvalidGroup.NotFound', 'gone'],
  ['InvalidGroup.Duplicate', 'exists'],
  ['InvalidPermission.Duplicate', 'exists'],
  ['InvalidLaunchTemplateName.AlreadyExistsException', 'exists'],
  ['DependencyViolation', 'in-use'],
  ['VolumeInUse', 'in-use'],
  ['IdempotentParameterMismatch', 'mismatch'],
  [NO_ANSWER, 'unreachable'],
  [FOREIGN_ANSWER, 'unreachable'],
  ['InternalError', 'service'],
  ['Unavailable', 'service'],
  ['InvalidParameterValue', 'request'],
  ['InvalidFleetConfiguration', 'request'],
];

describe('an error of EC2', () => {
  for (const [code, trouble] of TROUBLES) {
    it(`${code} is taken for ${trouble}`, () => assert.equal(troubleOf({ code }), trouble));
  }

  it('whose code nobody knows is told apart by its HTTP status', () => {
    assert.equal(troubleOf({ code: 'NeverHeardOf', httpStatus: 503 }), 'service');
    assert.equal(troubleOf({ code: 'NeverHeardOf', httpStatus: 400 }), 'request');
    assert.equal(troubleOf({ code: 'NeverHeardOf' }), 'request');
  });

  it('whose code is known is not: capacity comes with status 500, throttling with 503', () => {
    assert.equal(troubleOf({ code: 'InsufficientInstanceCapacity', httpStatus: 500 }), 'capacity');
    assert.equal(troubleOf({ code: 'RequestLimitExceeded', httpStatus: 503 }), 'throttling');
  });

  it('leaves it open whether the call had its effect only where no answer says so', () => {
    const open = TROUBLES.filter(([code]) => mayHaveHappened(new Ec2Error('CreateFleet', code, code)));
    assert.deepEqual(
      open.map(([code]) => code),
      [NO_ANSWER, FOREIGN_ANSWER, 'InternalError', 'Unavailable'],
    );
  });
});

describe('a call for something that is gone', () => {
  const fails = (code: string) => Promise.reject(new Ec2Error('DeleteVolume', code, code));

  it('gives undefined where that is as good, and every other failure stays one', async () => {
    assert.equal(await unlessGone(fails('InvalidVolume.NotFound')), undefined);
    assert.equal(await unlessGone(Promise.resolve(7)), 7);
    await assert.rejects(unlessGone(fails('VolumeInUse')), { code: 'VolumeInUse' });
    await assert.rejects(unlessGone(Promise.reject(new TypeError('a bug'))), TypeError);
  });

  it('counts an id that is none, or whose image was withdrawn, as nobody’s', () => {
    for (const code of ['InvalidAMIID.Malformed', 'InvalidAMIID.Unavailable', 'InvalidSnapshot.NotFound'])
      assert.ok(isNoSuch(new Ec2Error('DescribeImages', code, code)), code);
    assert.ok(!isNoSuch(new Ec2Error('DescribeImages', 'InvalidParameterValue', '')));
  });
});

describe('a failure that may pass when the call is repeated', () => {
  it('is one of EC2’s or of the way to it, never a refusal or a bug', () => {
    const passing = TROUBLES.filter(([code]) => isPassing(new Ec2Error('DescribeInstances', code, code)));
    assert.deepEqual(
      passing.map(([code]) => code),
      ['RequestLimitExceeded', 'Throttling', NO_ANSWER, FOREIGN_ANSWER, 'InternalError', 'Unavailable'],
    );
    assert.ok(!isPassing(new Error('a bug')));
    assert.ok(!isPassing(undefined));
  });
});
