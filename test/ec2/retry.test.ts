import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SECOND } from '../../src/clock.ts';
import type { Ec2 } from '../../src/ec2/api.ts';
import { Ec2Error, NO_ANSWER } from '../../src/ec2/errors.ts';
import { patient, patiently, retryReads } from '../../src/ec2/retry.ts';
import { createVirtualClock } from '../fake-aws/virtual-clock.ts';

/** EC2 that fails with these codes one after the other, and then answers. */
function failing(...codes: readonly string[]) {
  const left = [...codes];
  const calls: string[] = [];
  const ec2: Ec2 = async action => {
    calls.push(action);
    const code = left.shift();
    if (code !== undefined) throw new Ec2Error(action, code, code);
    return {};
  };
  return { ec2, calls };
}

const codeIs = (code: string) => (error: unknown) => error instanceof Ec2Error && error.code === code;

describe('a read', () => {
  const passing = [NO_ANSWER, 'ForeignAnswer', 'RequestLimitExceeded', 'InternalError', 'Unavailable'];
  for (const code of passing) {
    it(`that fails twice with ${code} succeeds within its call, within two seconds`, async () => {
      const clock = createVirtualClock();
      const { ec2, calls } = failing(code, code);
      const before = clock.monotonic();
      await clock.run(retryReads(ec2, clock, { random: () => 1 })('DescribeInstances', {}));
      assert.equal(calls.length, 3);
      assert.ok(clock.monotonic() - before < 2 * SECOND);
    });
  }

  it('is tried three times at the most', async () => {
    const clock = createVirtualClock();
    const { ec2, calls } = failing(NO_ANSWER, NO_ANSWER, 'Unavailable', NO_ANSWER);
    await assert.rejects(clock.run(retryReads(ec2, clock)('DescribeSubnets', {})), codeIs('Unavailable'));
    assert.equal(calls.length, 3);
  });

  it('that is refused is not repeated', async () => {
    const clock = createVirtualClock();
    const { ec2, calls } = failing('UnauthorizedOperation');
    await assert.rejects(
      clock.run(retryReads(ec2, clock)('DescribeImages', {})),
      codeIs('UnauthorizedOperation'),
    );
    assert.equal(calls.length, 1);
  });

  it('that got no answer for long is left to the next round', async () => {
    const clock = createVirtualClock();
    let calls = 0;
    const slow: Ec2 = async action => {
      calls += 1;
      await clock.sleep(20 * SECOND);
      throw new Ec2Error(action, NO_ANSWER, 'no answer within the time limit');
    };
    await assert.rejects(clock.run(retryReads(slow, clock)('DescribeInstances', {})), codeIs(NO_ANSWER));
    assert.equal(calls, 1);
  });

  it('is tried once when somebody waits for the end of the program, and not again where that happens meanwhile', async () => {
    const clock = createVirtualClock();
    let isHurried = false;
    const { ec2, calls } = failing(NO_ANSWER, NO_ANSWER, NO_ANSWER);
    const read = retryReads(ec2, clock, { isHurried: () => isHurried });
    const told = clock.sleep(50).then(() => {
      isHurried = true;
    });
    await assert.rejects(clock.run(read('DescribeInstances', {})), codeIs(NO_ANSWER));
    await told;
    assert.equal(calls.length, 1);
    await assert.rejects(clock.run(read('DescribeInstances', {})), codeIs(NO_ANSWER));
    assert.equal(calls.length, 2);
  });

  it('waits for another time on every master', async () => {
    async function waited(drawn: number): Promise<number> {
      const clock = createVirtualClock();
      const before = clock.monotonic();
      await clock.run(
        retryReads(failing(NO_ANSWER).ec2, clock, { random: () => drawn })('DescribeInstances', {}),
      );
      return clock.monotonic() - before;
    }
    assert.ok((await waited(0)) < (await waited(0.5)) && (await waited(0.5)) < (await waited(1)));
  });
});

it('what changes something is not repeated', async () => {
  const clock = createVirtualClock();
  for (const action of ['CreateFleet', 'TerminateInstances', 'CreateTags'] as const) {
    const { ec2, calls } = failing(NO_ANSWER);
    const request = { InstanceIds: [], Resources: [], Tags: [] };
    await assert.rejects(clock.run(retryReads(ec2, clock)(action, request as never)), codeIs(NO_ANSWER));
    assert.deepEqual(calls, [action]);
  }
});

describe('a command that has time', () => {
  it('waits for what passes by itself, for as long as its patience lasts', async () => {
    const clock = createVirtualClock();
    const { ec2, calls } = failing(...Array<string>(5).fill('Unavailable'));
    await clock.run(patient(ec2, clock)('CreateSnapshots', {} as never));
    assert.equal(calls.length, 6);
    const never = failing(...Array<string>(100).fill('Unavailable'));
    await assert.rejects(
      clock.run(patiently(clock, () => never.ec2('DescribeVolumes', {}), { patience: 20 * SECOND })),
      codeIs('Unavailable'),
    );
    assert.equal(never.calls.length, 5);
  });
});
