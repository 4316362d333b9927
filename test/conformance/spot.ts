import assert from 'node:assert/strict';
import type { SpotInstanceRequest } from '@aws-sdk/client-ec2';
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

/** The spot request behind an instance. */
async function requestOf(peer: Peer, instanceId: string): Promise<SpotInstanceRequest> {
  const id = (await instance(peer, instanceId))?.SpotInstanceRequestId ?? '';
  const { SpotInstanceRequests = [] } = await peer.ec2('DescribeSpotInstanceRequests', {
    SpotInstanceRequestIds: [id],
  });
  const [request] = SpotInstanceRequests;
  assert.ok(request, `${instanceId} has a spot request`);
  return request;
}

/** State and status code: `active fulfilled`. */
async function statusOf(peer: Peer, instanceId: string): Promise<string> {
  const { State, Status } = await requestOf(peer, instanceId);
  return `${State} ${Status?.Code}`;
}

/** One that runs. */
async function running(peer: Peer): Promise<string> {
  const [id = ''] = await launched(peer, await fleet(peer, 1));
  await peer.until('it runs', async () => (await stateOf(peer, id)) === 'running');
  return id;
}

export const SPOT: readonly Behaviour[] = [
  {
    what: 'the request of a spot instance is active and fulfilled',
    page: `${GUIDE}spot-instances-request-status-lifecycle.html`,
    async shown(peer) {
      const id = await running(peer);
      assert.equal(await statusOf(peer, id), 'active fulfilled');
      assert.equal((await requestOf(peer, id)).InstanceId, id);
    },
  },
  {
    what: 'the request of a spot instance that its owner terminates is closed',
    page: `${GUIDE}spot-instances-request-status-lifecycle.html`,
    async shown(peer) {
      const id = await running(peer);
      await peer.ec2('TerminateInstances', { InstanceIds: [id] });
      await peer.until('the request is closed', async () => {
        const status = await statusOf(peer, id);
        return status === 'closed instance-terminated-by-user';
      });
    },
  },
  {
    what: 'an instance goes on running when its request is cancelled',
    page: `${API}API_CancelSpotInstanceRequests.html`,
    async shown(peer) {
      const id = await running(peer);
      const { SpotInstanceRequestId = '' } = await requestOf(peer, id);
      await peer.ec2('CancelSpotInstanceRequests', { SpotInstanceRequestIds: [SpotInstanceRequestId] });
      assert.equal(await statusOf(peer, id), 'cancelled request-canceled-and-instance-running');
      assert.equal(await stateOf(peer, id), 'running');
    },
  },
  {
    what: 'a spot request that does not exist is not found',
    page: `${API}errors-overview.html`,
    async shown({ ec2 }) {
      const SpotInstanceRequestIds = ['sir-00000000'];
      const code = 'InvalidSpotInstanceRequestID.NotFound';
      await refused(ec2('DescribeSpotInstanceRequests', { SpotInstanceRequestIds }), code);
      await refused(ec2('CancelSpotInstanceRequests', { SpotInstanceRequestIds }), code);
    },
  },
  {
    what: 'an instance that EC2 takes back is marked for termination, and runs until its notice is over',
    page: `${GUIDE}spot-instance-termination-notices.html`,
    async shown(peer) {
      const id = await running(peer);
      // A slow machine still sees it before it is over.
      await peer.interrupt(id, 6);
      assert.equal(await statusOf(peer, id), 'active marked-for-termination');
      assert.equal(await stateOf(peer, id), 'running');
      await peer.until('it ends', async () => (await stateOf(peer, id)) === 'terminated');
      assert.equal(await statusOf(peer, id), 'closed instance-terminated-no-capacity');
      assert.equal((await instance(peer, id))?.StateReason?.Code, 'Server.SpotInstanceTermination');
    },
  },
  {
    what: 'a fleet gets as many instances as there is capacity for; what is lacking stands in Errors[]',
    page: `${API}API_CreateFleet.html`,
    async shown(peer) {
      const InstanceType = 'r5.large';
      await peer.limit(InstanceType, 2);
      const request = await fleet(peer, 3);
      const LaunchTemplateConfigs = (request.LaunchTemplateConfigs ?? []).map(config => ({
        ...config,
        Overrides: (config.Overrides ?? []).map(it => ({ ...it, InstanceType }) as const),
      }));
      const answer = await peer.ec2('CreateFleet', { ...request, LaunchTemplateConfigs });
      assert.equal((answer.Instances ?? []).flatMap(it => it.InstanceIds ?? []).length, 2);
      assert.equal(answer.Errors?.[0]?.ErrorCode, 'InsufficientInstanceCapacity');
    },
  },
  {
    what: 'the prices of now come in pages, one for each type and zone',
    page: `${API}API_DescribeSpotPriceHistory.html`,
    async shown({ ec2 }) {
      const seen: string[] = [];
      let pages = 0;
      for (let token: string | undefined; pages < 10; pages++) {
        const page = await ec2('DescribeSpotPriceHistory', {
          InstanceTypes: ['m5.large', 'c5.large'],
          ProductDescriptions: ['Linux/UNIX'],
          StartTime: new Date(),
          MaxResults: 2,
          ...(token !== undefined && { NextToken: token }),
        });
        const prices = page.SpotPriceHistory ?? [];
        assert.ok(prices.length <= 2 && prices.every(it => Number(it.SpotPrice) > 0));
        seen.push(...prices.map(it => `${it.InstanceType} ${it.AvailabilityZone}`));
        // After the last page the token is empty, or there is none.
        token = page.NextToken || undefined;
        if (token === undefined) break;
      }
      assert.ok(pages > 1, 'there are several pages');
      assert.equal(new Set(seen).size, seen.length, 'nothing comes twice');
      for (const type of ['m5.large', 'c5.large']) assert.ok(seen.some(it => it.startsWith(type)));
    },
  },
];
