import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Image } from '@aws-sdk/client-ec2';
import type { Ec2 } from '../../src/ec2/api.ts';
import { Ec2Error, NO_ANSWER } from '../../src/ec2/errors.ts';
import { createImage, imageName, removeImage, removeImagesOf } from '../../src/image/images.ts';
import { createPhases } from '../../src/staging/phases.ts';
import { createVirtualClock } from '../fake-aws/virtual-clock.ts';

const RUN = { master: 'web1', id: 'run' };

/** An account; each call takes the next answer of its action, and the last one again. */
function account(answers: Readonly<Record<string, readonly (object | Error)[]>>) {
  const calls: string[] = [];
  const taken = new Map<string, number>();
  const ec2 = (async (action: string, request: Readonly<Record<string, unknown>>) => {
    calls.push([action, request.ImageId ?? request.SnapshotId].filter(Boolean).join(' '));
    const all = answers[action] ?? [{}];
    const at = taken.get(action) ?? 0;
    taken.set(action, at + 1);
    const answer = all[Math.min(at, all.length - 1)];
    if (answer instanceof Error) throw answer;
    return answer;
  }) as Ec2;
  const clock = createVirtualClock();
  const progress: string[] = [];
  const report = {
    say() {},
    warn() {},
    detail() {},
    progress: (text: string) => void progress.push(text),
  };
  const signal = new AbortController().signal;
  const tools = { ec2, ec2Once: ec2, clock, report, phases: createPhases(clock), signal };
  return { tools, clock, calls, progress, ec2 };
}

const shown = (State: string, more: Partial<Image> = {}) => ({
  Images: [{ ImageId: 'ami-1', State, ...more }],
});
const mapped = { BlockDeviceMappings: [{ Ebs: { SnapshotId: 'snap-1' } }] };

describe('an image', () => {
  test('is waited for, and how far it is, is shown', async () => {
    const { tools, clock, progress } = account({
      CreateImage: [{ ImageId: 'ami-1' }],
      DescribeImages: [
        new Ec2Error('DescribeImages', 'InvalidAMIID.NotFound', 'not yet', 400),
        { ...shown('pending', mapped as Partial<Image>) },
        shown('available'),
      ],
      DescribeSnapshots: [{ Snapshots: [{ Progress: '42%' }] }],
    });
    assert.equal(await clock.run(createImage(tools, RUN, 'i-1')), 'ami-1');
    assert.deepEqual(progress, ['0 % of the image is stored', '42 % of the image is stored']);
  });

  for (const [what, error] of [
    ['was lost', new Ec2Error('CreateImage', NO_ANSWER, 'no answer')],
    ['says that it is there already', new Ec2Error('CreateImage', 'InvalidAMIName.Duplicate', 'taken', 400)],
  ] as const) {
    test(`whose answer ${what} is found by its run, and not made twice`, async () => {
      const { tools, clock, calls } = account({ CreateImage: [error], DescribeImages: [shown('available')] });
      assert.equal(await clock.run(createImage(tools, RUN, 'i-1')), 'ami-1');
      assert.equal(calls.filter(it => it.startsWith('CreateImage')).length, 1);
    });
  }

  test('that EC2 cannot complete is an error with its reason', async () => {
    const { tools, clock } = account({
      CreateImage: [{ ImageId: 'ami-1' }],
      DescribeImages: [shown('failed', { StateReason: { Message: 'the KMS key cannot be used' } })],
    });
    await assert.rejects(
      clock.run(createImage(tools, RUN, 'i-1')),
      /could not complete ami-1: the KMS key cannot be used; run image again/,
    );
  });

  test('goes before its snapshots, which EC2 may hold for a while', async () => {
    const { ec2, clock, calls } = account({
      DeleteSnapshot: [new Ec2Error('DeleteSnapshot', 'InvalidSnapshot.InUse', 'in use', 400), {}],
    });
    await clock.run(removeImage(ec2, { imageId: 'ami-1', snapshots: ['snap-1'] }, clock));
    assert.deepEqual(calls, ['DeregisterImage ami-1', 'DeleteSnapshot snap-1', 'DeleteSnapshot snap-1']);
  });

  test('of a run that failed goes with all snapshots that carry its tag', async () => {
    const { ec2, clock, calls } = account({
      DescribeImages: [shown('pending')],
      DescribeSnapshots: [{ Snapshots: [{ SnapshotId: 'snap-1' }] }],
    });
    await clock.run(removeImagesOf(ec2, RUN, clock));
    assert.deepEqual(calls.slice(2), ['DeregisterImage ami-1', 'DeleteSnapshot snap-1']);
  });
});

describe('the name of an image', () => {
  for (const master of ['web1', 'ß'.repeat(256), 'a, b & c', 'i-0123456789abcdef0']) {
    test(`of the master ${master.slice(0, 20)} is one that EC2 takes, and has the run in it`, () => {
      const name = imageName({ master, id: '0123456789ab' }, 0);
      assert.match(name, /^[a-zA-Z0-9()[\] ./\-'@_]{3,128}$/);
      assert.match(name, / 0123456789ab$/);
    });
  }
});
