import type { _InstanceType, Image, InstanceTypeInfo } from '@aws-sdk/client-ec2';
import { type Finding, ok, problem, skipped, warning } from '../finding.ts';
import type { Topic } from '../topic.ts';

/** The instance types: whether the region has them, sells them as spot instances, and the image runs on them. */
export const instanceTypes: Topic = {
  name: 'instance type',
  async check(world) {
    const [{ ec2, region }, { slave }] = await Promise.all([world.account(), world.config()]);
    const { InstanceTypes = [] } = await ec2('DescribeInstanceTypes', {
      // A filter, because a name that EC2 does not know is an error as an id. New types appear faster than the SDK's list.
      Filters: [{ Name: 'instance-type', Values: slave.instanceTypes.map(it => it as _InstanceType) }],
    });
    // The image's own check reports what is wrong with it.
    const image = await world.image().then(
      it => it.description,
      () => undefined,
    );
    const place = await world.place('SLAVE', 'instance_type');
    return findingsOf({ wanted: slave.instanceTypes, offered: InstanceTypes, image, region, place });
  },
};

/** What is known of types and image. */
type TypeFacts = {
  readonly wanted: readonly string[];
  /** The types that the region has. */
  readonly offered: readonly InstanceTypeInfo[];
  /** Undefined when it could not be examined. */
  readonly image: Image | undefined;
  readonly region: string;
  readonly place: string;
};

/** A type that cannot be used is only a warning as long as another can. */
export function findingsOf({ wanted, offered, image, region, place }: TypeFacts): readonly Finding[] {
  const faults = wanted.flatMap(name => {
    const type = offered.find(it => it.InstanceType === name);
    const fault = type === undefined ? `${region} does not have it` : faultOf(type, image);
    return fault === undefined ? [] : [{ name, fault }];
  });
  const usable = wanted.filter(name => !faults.some(fault => fault.name === name));
  const findings: Finding[] = faults.map(({ name, fault }) => {
    const fix =
      usable.length > 0
        ? `In ${place}:\n    instance_type = ${usable.join(' ')}`
        : `Name types in ${place} that ${region} has and that the image runs on.`;
    return (usable.length > 0 ? warning : problem)(`${name} cannot be used: ${fault}.`, fix);
  });
  const old = usable.filter(
    name => offered.find(it => it.InstanceType === name)?.CurrentGeneration === false,
  );
  if (usable.length > 0) {
    const runs = image === undefined ? '' : ', and the image runs there';
    const hints = [
      ...(usable.length === 1 ? ['several types would be interrupted less often'] : []),
      ...(old.length > 0
        ? [`${old.join(', ')}: of an older generation, which can cost more and be scarcer`]
        : []),
    ];
    findings.unshift(
      ok(`${[`${usable.join(', ')}: offered as spot instances${runs}`, ...hints].join('; ')}.`),
    );
  }
  if (image === undefined) {
    findings.push(skipped('not checked whether the image runs on them: there is no image'));
  }
  return findings;
}

function faultOf(type: InstanceTypeInfo, image: Image | undefined): string | undefined {
  if (type.SupportedUsageClasses?.includes('spot') === false) return 'it is not available as a spot instance';
  const architectures = type.ProcessorInfo?.SupportedArchitectures;
  const architecture = image?.Architecture;
  if (architecture !== undefined && architectures?.some(it => it === architecture) === false) {
    return `it is ${architectures.join(' or ')}, and the image is ${architecture}`;
  }
  const virtualization = image?.VirtualizationType;
  if (
    virtualization !== undefined &&
    type.SupportedVirtualizationTypes?.some(it => it === virtualization) === false
  ) {
    return `it does not run ${virtualization} images such as this one`;
  }
  if (type.Hypervisor === 'nitro' && image?.EnaSupport === false)
    return 'it needs an image with ENA support, and this one has none';
  return undefined;
}
