import type { Ec2Action } from './api.ts';

/**
 * Elements of the answers of each round that the program does not read. EC2 describes an instance in 2.5 kB of XML, of which
 * a fifth is needed; to parse the rest would be most of the work of a round.
 */
const UNREAD: Partial<Record<Ec2Action, readonly string[]>> = {
  DescribeInstances: [
    'networkInterfaceSet',
    'blockDeviceMapping',
    'groupSet',
    'productCodes',
    'metadataOptions',
    'cpuOptions',
    'capacityReservationSpecification',
    'hibernationOptions',
    'enclaveOptions',
    'maintenanceOptions',
    'networkPerformanceOptions',
    'privateDnsNameOptions',
    'iamInstanceProfile',
    'monitoring',
    'privateDnsName',
    'dnsName',
    'amiLaunchIndex',
    'keyName',
    'architecture',
    'rootDeviceType',
    'rootDeviceName',
    'virtualizationType',
    'hypervisor',
    'clientToken',
    'ebsOptimized',
    'enaSupport',
    'sourceDestCheck',
    'subnetId',
    'vpcId',
    'platformDetails',
    'usageOperation',
    'usageOperationUpdateTime',
    'bootMode',
    'currentInstanceBootMode',
    'ownerId',
    'requesterId',
    'reservationId',
  ],
};

/**
 * The XML of an answer without the elements that the program does not read; in time linear in its length.
 *
 * @param xml a whole answer
 */
export function withoutUnread(action: Ec2Action, xml: string): string {
  const unread = new Set(UNREAD[action]);
  if (unread.size === 0) return xml;
  const kept: string[] = [];
  let from = 0;
  for (let tag = xml.indexOf('<'); tag !== -1; tag = xml.indexOf('<', tag)) {
    const end = xml.indexOf('>', tag);
    if (end === -1) break;
    const isEmpty = xml[end - 1] === '/';
    const name = xml.slice(tag + 1, isEmpty ? end - 1 : end);
    const after = !unread.has(name) || isEmpty ? end + 1 : endOf(name, end, xml);
    if (after === undefined) {
      // It does not end: it is not searched for a second time.
      unread.delete(name);
      tag = end + 1;
      continue;
    }
    if (unread.has(name)) {
      kept.push(xml.slice(from, tag));
      from = after;
    }
    tag = after;
  }
  kept.push(xml.slice(from));
  return kept.join('');
}

function endOf(name: string, from: number, xml: string): number | undefined {
  const closing = `</${name}>`;
  const at = xml.indexOf(closing, from);
  return at === -1 ? undefined : at + closing.length;
}
