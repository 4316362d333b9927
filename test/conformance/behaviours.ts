import assert from 'node:assert/strict';
import { EVENTUAL } from './eventual.ts';
import {
  API,
  type Behaviour,
  fleet,
  GUIDE,
  group,
  launched,
  refused,
  stateOf,
  subnets,
  template,
} from './peer.ts';
import { SPOT } from './spot.ts';

export const BEHAVIOURS: readonly Behaviour[] = [
  {
    what: 'an instance is pending or running after its launch, and running later',
    page: `${GUIDE}ec2-instance-lifecycle.html`,
    async shown(peer) {
      const [id = ''] = await launched(peer, await fleet(peer, 1));
      await peer.until('it runs', async () => (await stateOf(peer, id)) === 'running');
    },
  },
  {
    what: 'an instance that is terminated is shown as shutting-down or terminated, and its termination can be repeated',
    page: `${API}API_TerminateInstances.html`,
    async shown(peer) {
      const [id = ''] = await launched(peer, await fleet(peer, 1));
      for (let time = 0; time < 2; time++) await peer.ec2('TerminateInstances', { InstanceIds: [id] });
      await peer.until('it ends', async () => (await stateOf(peer, id)) === 'terminated');
    },
  },
  {
    what: 'one unknown instance fails the whole termination',
    page: `${API}API_TerminateInstances.html`,
    async shown(peer) {
      const [id = ''] = await launched(peer, await fleet(peer, 1));
      const InstanceIds = [id, 'i-0123456789abcdef0'];
      await refused(peer.ec2('TerminateInstances', { InstanceIds }), 'InvalidInstanceID.NotFound');
      assert.match((await stateOf(peer, id)) ?? '', /pending|running/);
    },
  },
  {
    what: 'a launch that is repeated with its token launches nothing more',
    page: `${GUIDE}ec2-api-idempotency.html`,
    async shown(peer) {
      const request = await fleet(peer, 1, { ClientToken: peer.name() });
      assert.deepEqual(await launched(peer, request), await launched(peer, request));
    },
  },
  {
    what: 'a token with other parameters is refused',
    page: `${GUIDE}ec2-api-idempotency.html`,
    async shown(peer) {
      const request = await fleet(peer, 1, { ClientToken: peer.name() });
      await launched(peer, request);
      const TargetCapacitySpecification = {
        TotalTargetCapacity: 2,
        DefaultTargetCapacityType: 'spot' as const,
      };
      await refused(
        peer.ec2('CreateFleet', { ...request, TargetCapacitySpecification }),
        'IdempotentParameterMismatch',
      );
    },
  },
  {
    what: 'a price that is too low stands in Errors[], with status 200',
    page: `${API}API_CreateFleet.html`,
    async shown(peer) {
      const answer = await peer.ec2('CreateFleet', await fleet(peer, 1, {}, '0.002'));
      assert.deepEqual(answer.Instances ?? [], []);
      assert.equal(answer.Errors?.[0]?.ErrorCode, 'SpotMaxPriceTooLow');
    },
  },
  {
    what: 'two overrides of one type in one zone are refused as duplicate instance pools',
    page: `${GUIDE}ec2-fleet-configuration-strategies.html`,
    async shown(peer) {
      const request = await fleet(peer, 1);
      const [config] = request.LaunchTemplateConfigs ?? [];
      const Overrides = [...(config?.Overrides ?? []), ...(config?.Overrides ?? [])];
      const LaunchTemplateConfigs = [{ ...config, Overrides }];
      await refused(peer.ec2('CreateFleet', { ...request, LaunchTemplateConfigs }), 'InvalidFleetConfig');
    },
  },
  {
    what: 'a fleet from a template that is gone is refused',
    page: `${API}errors-overview.html`,
    async shown(peer) {
      const request = await fleet(peer, 1);
      const LaunchTemplateId =
        request.LaunchTemplateConfigs?.[0]?.LaunchTemplateSpecification?.LaunchTemplateId;
      await peer.ec2('DeleteLaunchTemplate', { LaunchTemplateId });
      await refused(peer.ec2('CreateFleet', request), 'InvalidLaunchTemplateId.NotFound');
    },
  },
  {
    what: 'two launch templates never have the same name',
    page: `${API}API_CreateLaunchTemplate.html`,
    async shown(peer) {
      const name = peer.name();
      await template(peer, name);
      await refused(template(peer, name), 'InvalidLaunchTemplateName.AlreadyExistsException');
    },
  },
  {
    what: 'two security groups of a VPC never have the same name',
    page: `${API}API_CreateSecurityGroup.html`,
    async shown(peer) {
      const name = peer.name();
      await group(peer, name);
      await refused(group(peer, name), 'InvalidGroup.Duplicate');
    },
  },
  {
    what: 'a security group is found by its name',
    page: `${API}API_DescribeSecurityGroups.html`,
    async shown(peer) {
      const name = peer.name();
      const GroupId = await group(peer, name);
      const Filters = [{ Name: 'group-name', Values: [name] }];
      const { SecurityGroups } = await peer.ec2('DescribeSecurityGroups', { Filters });
      assert.deepEqual(
        SecurityGroups?.map(it => it.GroupId),
        [GroupId],
      );
    },
  },
  {
    what: 'a rule that is there already is a duplicate',
    page: `${API}API_AuthorizeSecurityGroupIngress.html`,
    async shown(peer) {
      const GroupId = await group(peer);
      const rule = {
        IpProtocol: 'tcp',
        FromPort: 8101,
        ToPort: 8101,
        IpRanges: [{ CidrIp: '192.0.2.1/32' }],
      };
      const call = () => peer.ec2('AuthorizeSecurityGroupIngress', { GroupId, IpPermissions: [rule] });
      await call();
      await refused(call(), 'InvalidPermission.Duplicate');
    },
  },
  {
    what: 'a security group that is deleted is not found',
    page: `${API}API_DeleteSecurityGroup.html`,
    async shown(peer) {
      const GroupId = await group(peer);
      await peer.ec2('DeleteSecurityGroup', { GroupId });
      await refused(peer.ec2('DescribeSecurityGroups', { GroupIds: [GroupId] }), 'InvalidGroup.NotFound');
    },
  },
  {
    what: 'a security group cannot be deleted while an instance uses it',
    page: `${API}API_DeleteSecurityGroup.html`,
    async shown(peer) {
      const GroupId = await group(peer);
      const made = await peer.ec2('CreateLaunchTemplate', {
        LaunchTemplateName: peer.name(),
        LaunchTemplateData: { ImageId: peer.imageId, SecurityGroupIds: [GroupId] },
      });
      const request = await fleet(peer, 1);
      const [config] = request.LaunchTemplateConfigs ?? [];
      const LaunchTemplateSpecification = {
        LaunchTemplateId: made.LaunchTemplate?.LaunchTemplateId,
        Version: '1',
      };
      const LaunchTemplateConfigs = [{ ...config, LaunchTemplateSpecification }];
      assert.equal((await launched(peer, { ...request, LaunchTemplateConfigs })).length, 1);
      await refused(peer.ec2('DeleteSecurityGroup', { GroupId }), 'DependencyViolation');
    },
  },
  {
    what: 'an image that does not exist is not found',
    page: `${API}API_DescribeImages.html`,
    shown: ({ ec2 }) =>
      refused(ec2('DescribeImages', { ImageIds: ['ami-00000000000000000'] }), 'InvalidAMIID.NotFound'),
  },
  {
    what: 'the main route table of the default VPC leads to an internet gateway',
    page: 'https://docs.aws.amazon.com/vpc/latest/userguide/default-vpc-components.html',
    async shown(peer) {
      const [{ vpcId } = { vpcId: '' }] = await subnets(peer);
      const { RouteTables = [] } = await peer.ec2('DescribeRouteTables', {
        Filters: [{ Name: 'vpc-id', Values: [vpcId] }],
      });
      const main = RouteTables.find(it => it.Associations?.some(one => one.Main));
      assert.ok(
        main?.Routes?.some(it => it.DestinationCidrBlock === '0.0.0.0/0' && it.GatewayId?.startsWith('igw-')),
      );
    },
  },
  {
    what: 'a long list comes in pages',
    page: `${API}API_DescribeInstances.html`,
    async shown(peer) {
      const ids = await launched(peer, await fleet(peer, 7));
      const Filters = [{ Name: 'instance-id', Values: ids }];
      await peer.until('all are shown', async () => (await all({ Filters })).length === 7);
      async function all(request: { readonly Filters: typeof Filters }): Promise<readonly unknown[]> {
        const found: unknown[] = [];
        for (let token: string | undefined, pages = 0; pages < 10; pages++) {
          const page = await peer.ec2('DescribeInstances', {
            ...request,
            MaxResults: 5,
            ...(token !== undefined && { NextToken: token }),
          });
          found.push(...(page.Reservations ?? []).flatMap(it => it.Instances ?? []));
          token = page.NextToken || undefined;
          if (token === undefined) break;
        }
        return found;
      }
    },
  },
  {
    what: 'a dry run changes nothing and says that it would have been allowed',
    page: `${API}CommonParameters.html`,
    async shown(peer) {
      const [{ vpcId } = { vpcId: '' }] = await subnets(peer);
      const request = { GroupName: peer.name(), Description: 'x', VpcId: vpcId, DryRun: true };
      await refused(peer.ec2('CreateSecurityGroup', request), 'DryRunOperation');
    },
  },
  ...SPOT,
  ...EVENTUAL,
];
