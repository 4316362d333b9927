import type { Image } from '@aws-sdk/client-ec2';
import { HOUR } from '../../clock.ts';
import { isUserError } from '../../errors.ts';
import { type Finding, ok, problem, warning } from '../finding.ts';
import { sentence } from '../sentence.ts';
import type { Topic } from '../topic.ts';

/** The slaves' AMI: whether it exists and is usable, and whose it is. */
export const image: Topic = {
  name: 'image',
  async check(world) {
    const { image: wanted } = await world.site();
    const place = await world.place('SLAVE', 'image_id');
    const there = await world.image().catch(error => {
      if (isUserError(error)) return missing(error.message, place);
      throw error;
    });
    if ('verdict' in there) return [there];
    const { imageId, description } = there;
    const site = await world.site();
    return [
      found(wanted, imageId, description),
      ...(there.warning !== undefined && !isDeprecation(there) ? [warning(sentence(there.warning))] : []),
      ...bareOf(description, imageId === site.ownImage, place),
      ...faultsOf(description, place, Date.now()),
    ];
  },
};

function missing(message: string, place: string): Finding {
  const own = '    aws ec2 describe-images --owners self --query "Images[].[ImageId,Name]"';
  return problem(
    sentence(message),
    `The line is ${place}. "gbrowse-aws-balancer image" makes one. The images of this account:\n${own}`,
  );
}

function found(wanted: string, imageId: string, image: Image): Finding {
  const name = image.Name === undefined || image.Name === wanted ? '' : ` "${image.Name}"`;
  const facts = [
    image.Architecture,
    image.OwnerId === undefined
      ? undefined
      : `of account ${image.OwnerId}${image.ImageOwnerAlias ? ` (${image.ImageOwnerAlias})` : ''}`,
    image.CreationDate === undefined ? undefined : `made ${image.CreationDate.slice(0, 10)}`,
  ].filter(fact => fact !== undefined);
  const which = wanted === imageId ? imageId : `${imageId} for "${wanted}"`;
  return ok(`${which}${name}: ${facts.join(', ')}.`, {
    details: { imageId, name: image.Name, architecture: image.Architecture, owner: image.OwnerId },
  });
}

/** A deprecated image is always reported. */
function isDeprecation({
  imageId,
  description,
}: {
  readonly imageId: string;
  readonly description: Image;
}): boolean {
  return imageId === description.ImageId && Date.parse(description.DeprecationTime ?? '') <= Date.now();
}

/** Accounts that publish the plain images of distributions: Debian, Canonical, Red Hat, SUSE, Rocky Linux, AlmaLinux. */
const VENDORS = [
  '136693071363',
  '099720109477',
  '309956199498',
  '013907871322',
  '792107900819',
  '764336703387',
];

/** A master's own AMI that is the plain one of a distribution: it lacks what was installed on the master. */
export function bareOf(image: Image, isOwn: boolean, place: string): readonly Finding[] {
  const isVendors = image.ImageOwnerAlias === 'amazon' || VENDORS.includes(image.OwnerId ?? '');
  if (!isOwn || !isVendors) return [];
  return [
    warning(
      `It is the plain image that this master was started from ("${image.Name}"): it lacks what was installed on the master later, including GBrowse.`,
      `Make an image with GBrowse, which "gbrowse-aws-balancer image" does, and name it in ${place}.`,
    ),
  ];
}

/** What prevents slaves from starting from it, now or later. */
export function faultsOf(image: Image, place: string, now: number): readonly Finding[] {
  const { State: state = 'available', RootDeviceType: root = 'ebs', Platform: platform } = image;
  const another = `Name another image in ${place}.`;
  const findings: Finding[] = [];
  if (state === 'pending')
    findings.push(
      problem(
        'It is still being created; no instance can start from it yet.',
        'Wait until it is available, then run check again.',
      ),
    );
  else if (state !== 'available')
    findings.push(problem(`Its state is ${state}; no instance can start from it.`, another));
  if (root !== 'ebs') {
    findings.push(
      problem(`Its root device is ${root}: current instance types start only from EBS images.`, another),
    );
  }
  if (platform?.toLowerCase() === 'windows')
    findings.push(problem('It is a Windows image; slaves run Linux.', another));
  const deprecation = Date.parse(image.DeprecationTime ?? '');
  if (deprecation < now + 30 * 24 * HOUR) {
    const when = `${image.DeprecationTime?.slice(0, 10)}`;
    findings.push(
      warning(
        `Its owner ${deprecation < now ? 'deprecated it on' : 'will deprecate it on'} ${when}; it may disappear.`,
        another,
      ),
    );
  }
  return findings;
}
