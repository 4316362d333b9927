import type { Ec2Action } from './api.ts';

/**
 * What the program never looks at in the answers that it reads every round. An instance is described in 2.5 kB of XML, of
 * which it needs a fifth; with 200 slaves parsing the rest would be most of its work.
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

/** One pass for all: what is inside a removed element is not looked at again. */
const PATTERNS = new Map(
  Object.entries(UNREAD).map(([action, names]) => [
    action,
    new RegExp(`<(${names.join('|')})(?:/>|>.*?</\\1>)`, 'gs'),
  ]),
);

/** Whether answers of the action are worth slimming. */
export function isSlimmed(action: string): boolean {
  return PATTERNS.has(action);
}

/** The XML of an answer without the elements that the program does not look at. */
export function slim(action: string, xml: string): string {
  const pattern = PATTERNS.get(action);
  return pattern === undefined ? xml : xml.replace(pattern, '');
}
