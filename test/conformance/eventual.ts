import assert from 'node:assert/strict';
import { isEc2Error } from '../../src/ec2/errors.ts';
import {
  API,
  type Behaviour,
  fleet,
  GUIDE,
  instance,
  launched,
  type Peer,
  refused,
  stateOf,
} from './peer.ts';

const EVENTUAL_CONSISTENCY = 'https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html';
const STATES = ['pending', 'running', 'shutting-down', 'terminated'];

/** Whether EC2 shows an instance that there is. */
async function isShown(peer: Peer, id: string): Promise<boolean> {
  try {
    return (await instance(peer, id)) !== undefined;
  } catch (error) {
    assert.ok(isEc2Error(error), String(error));
    assert.equal(error.code, 'InvalidInstanceID.NotFound');
    return false;
  }
}

async function tagOf(peer: Peer, id: string, key: string): Promise<string | undefined> {
  return (await instance(peer, id))?.Tags?.find(it => it.Key === key)?.Value;
}

export const EVENTUAL: readonly Behaviour[] = [
  {
    what: 'an instance goes through pending, running, shutting-down and terminated, and never back',
    page: `${GUIDE}ec2-instance-lifecycle.html`,
    async shown(peer) {
      const [id = ''] = await launched(peer, await fleet(peer, 1));
      const seen: number[] = [];
      const reaches = (state: string) =>
        peer.until(`it is ${state}`, async () => {
          const now = (await stateOf(peer, id)) ?? '';
          seen.push(STATES.indexOf(now));
          return now === state;
        });
      await reaches('running');
      const answer = await peer.ec2('TerminateInstances', { InstanceIds: [id] });
      const [{ PreviousState, CurrentState } = {}] = answer.TerminatingInstances ?? [];
      assert.deepEqual([PreviousState?.Name, CurrentState?.Name], ['running', 'shutting-down']);
      assert.deepEqual([PreviousState?.Code, CurrentState?.Code], [16, 32]);
      await reaches('terminated');
      assert.deepEqual(
        seen,
        seen.toSorted((a, b) => a - b),
      );
      assert.ok(!seen.includes(-1), 'there is no other state');
    },
  },
  {
    what: 'an instance just launched is not found for a while',
    page: EVENTUAL_CONSISTENCY,
    lag: 3,
    async shown(peer) {
      const [id = ''] = await launched(peer, await fleet(peer, 1));
      await refused(peer.ec2('DescribeInstances', { InstanceIds: [id] }), 'InvalidInstanceID.NotFound');
      await peer.until('it is shown', () => isShown(peer, id));
    },
  },
  {
    what: 'a tag just changed is shown as it was for a while, and filters go by what is shown',
    page: EVENTUAL_CONSISTENCY,
    lag: 3,
    async shown(peer) {
      const [id = ''] = await launched(peer, await fleet(peer, 1));
      await peer.until('it is shown', () => isShown(peer, id));
      const Key = peer.name();
      await peer.ec2('CreateTags', { Resources: [id], Tags: [{ Key, Value: 'new' }] });
      assert.equal(await tagOf(peer, id, Key), undefined);
      await peer.until('the tag is shown', async () => (await tagOf(peer, id, Key)) === 'new');
      const { Reservations = [] } = await peer.ec2('DescribeInstances', {
        Filters: [{ Name: `tag:${Key}`, Values: ['new'] }],
      });
      const found = Reservations.flatMap(it => it.Instances ?? []);
      assert.deepEqual(
        found.map(it => it.InstanceId),
        [id],
      );
    },
  },
  {
    what: 'a tag whose key is there already gets the new value',
    page: `${API}API_CreateTags.html`,
    async shown(peer) {
      const [id = ''] = await launched(peer, await fleet(peer, 1));
      const Key = peer.name();
      for (const Value of ['first', 'second']) {
        await peer.ec2('CreateTags', { Resources: [id], Tags: [{ Key, Value }] });
      }
      assert.equal(await tagOf(peer, id, Key), 'second');
    },
  },
];
