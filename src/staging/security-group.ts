import { isIPv6 } from 'node:net';
import { type Clock, MINUTE, SECOND } from '../clock.ts';
import type { Ec2 } from '../ec2/api.ts';
import { isDuplicate, isInUse, unless, unlessGone } from '../ec2/errors.ts';
import { failure } from '../errors.ts';
import { tagged } from '../spot/tags.ts';
import { ofRun, type Run, runTags } from './run.ts';

const POLL_INTERVAL = SECOND;
/** From the order to end to the end; EC2 needs less than a minute. */
const ENDING_LIMIT = 10 * MINUTE;

/**
 * Makes a security group that allows ssh from the master's address alone.
 *
 * @returns its id
 * @throws {Ec2Error}
 */
export async function createGroup(ec2: Ec2, run: Run, vpcId: string, address: string): Promise<string> {
  const name = `gbrowse-aws-balancer staging ${run.id}`;
  const created = await unless(
    isDuplicate,
    ec2('CreateSecurityGroup', {
      GroupName: name,
      Description: 'GBrowse staging instance: allows ssh from its master alone',
      VpcId: vpcId,
      TagSpecifications: [tagged('security-group', runTags(run, name))],
    }),
  );
  // A duplicate was made by a call whose answer was lost: the name has this run's id.
  const groupId = created?.GroupId ?? (await findGroup(ec2, run, vpcId));
  if (groupId === undefined) throw failure(`EC2 has made the security group "${name}" but does not show it`);
  const source = isIPv6(address)
    ? { Ipv6Ranges: [{ CidrIpv6: `${address}/128`, Description: 'GBrowse master' }] }
    : { IpRanges: [{ CidrIp: `${address}/32`, Description: 'GBrowse master' }] };
  await unless(
    isDuplicate,
    ec2('AuthorizeSecurityGroupIngress', {
      GroupId: groupId,
      IpPermissions: [{ IpProtocol: 'tcp', FromPort: 22, ToPort: 22, ...source }],
    }),
  );
  return groupId;
}

async function findGroup(ec2: Ec2, run: Run, vpcId: string): Promise<string | undefined> {
  const found = await ec2('DescribeSecurityGroups', {
    Filters: [...ofRun(run), { Name: 'vpc-id', Values: [vpcId] }],
  });
  return found.SecurityGroups?.[0]?.GroupId;
}

/** Deletes the groups of a run, as soon as EC2 allows it: not before its instances have ended. */
export async function removeGroups(ec2: Ec2, run: Run, clock: Clock): Promise<void> {
  const until = clock.monotonic() + ENDING_LIMIT;
  const found = await ec2('DescribeSecurityGroups', { Filters: ofRun(run) });
  for (const { GroupId } of found.SecurityGroups ?? []) {
    for (let gone = GroupId === undefined; !gone; ) {
      try {
        await unlessGone(ec2('DeleteSecurityGroup', { GroupId }));
        gone = true;
      } catch (error) {
        if (!isInUse(error) || clock.monotonic() >= until) throw error;
        await clock.sleep(POLL_INTERVAL);
      }
    }
  }
}
