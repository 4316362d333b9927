import type { Image, Snapshot } from '@aws-sdk/client-ec2';
import type { Ec2 } from '../../ec2/api.ts';
import { isDenied } from '../../ec2/errors.ts';
import { ownedBy } from '../../spot/tags.ts';
import { type Finding, ok, warning } from '../finding.ts';
import { known } from '../known.ts';
import type { Topic } from '../topic.ts';

/** The keys that encrypt the slaves' volumes: a key that may not be used ends every slave during its launch. */
export const encryption: Topic = {
  name: 'encryption',
  async check(world) {
    const [{ ec2 }, site, config, image] = await Promise.all([
      world.account(),
      world.site(),
      world.config(),
      known(world.image()),
    ]);
    const [byDefault, snapshots, used] = await Promise.all([
      defaultKey(ec2),
      snapshotsOf(ec2, [...rootsOf(image?.description), ...config.slave.dataSnapshots]),
      keysInUse(ec2, site.name),
    ]);
    return judgeKeys({
      byDefault,
      image: image?.description,
      snapshots,
      data: config.slave.dataSnapshots,
      used,
      file: config.file,
    });
  },
};

/** What the volumes of a slave are encrypted with. */
export type KeyFacts = {
  /** The key of every new volume that is not encrypted otherwise; undefined: there is none, or AWS does not say. */
  readonly byDefault: string | undefined;
  readonly image: Image | undefined;
  /** Those of the image and the data that this account may see. */
  readonly snapshots: readonly Snapshot[];
  /** The ids of the data snapshots. */
  readonly data: readonly string[];
  /** Keys that encrypt volumes of running slaves: they may be used. */
  readonly used: ReadonlySet<string>;
  /** The configuration file. */
  readonly file: string;
};

/** What GetEbsDefaultKmsKeyId answers for AWS's own key, which everybody in the account may use. */
const AWS_KEY = 'alias/aws/ebs';

/**
 * The keys by their use. A volume has the key of its snapshot; where that has none, the account's default, if volumes are
 * encrypted by default. (EBS User Guide, "Amazon EBS encryption")
 */
export function judgeKeys({ byDefault, image, snapshots, data, used, file }: KeyFacts): readonly Finding[] {
  const uses = new Map<string, Set<string>>();
  const add = (key: string | undefined, what: string) => {
    if (key !== undefined) uses.set(key, (uses.get(key) ?? new Set()).add(what));
  };
  add(byDefault, "the account's default for new volumes");
  for (const { SnapshotId = '', KmsKeyId } of snapshots)
    add(KmsKeyId, data.includes(SnapshotId) ? 'the data snapshots' : 'the image');
  const seen = new Set(snapshots.map(it => it.SnapshotId));
  const hidden = (image?.BlockDeviceMappings ?? []).some(
    ({ Ebs }) => Ebs?.Encrypted === true && !seen.has(Ebs.SnapshotId),
  );
  const findings = [...uses].map(([key, what]) => findingOf(key, [...what].join(', '), used, file));
  if (hidden) {
    findings.push(
      warning(
        `The image is encrypted with a key of account ${image?.OwnerId}, which is not shown to this account. If this user or role may not use the key, slaves end during their launch.`,
        `Ask the owner for the ARN of the key and for its use, then run:\n    gbrowse-aws-balancer iam-policy --commands --conf ${file} --kms-key ARN`,
      ),
    );
  }
  return findings.length > 0 ? findings : [ok('The volumes of slaves are not encrypted.')];
}

function findingOf(key: string, what: string, used: ReadonlySet<string>, file: string): Finding {
  const details = { details: { key, uses: what } };
  if (key === AWS_KEY) return ok(`aws/ebs (${what}): AWS's own key, which needs no permission.`, details);
  if (used.has(key)) return ok(`${key} (${what}): slaves are running with it.`, details);
  const command = `gbrowse-aws-balancer iam-policy --commands --conf ${file} --kms-key`;
  const advice = key.startsWith('arn:')
    ? `This says whose key it is:\n    aws kms describe-key --key-id ${key} --query KeyMetadata.KeyManager\nIf it says CUSTOMER, these commands allow its use:\n    ${command} ${key}`
    : `Find its ARN, and allow its use:\n    aws kms describe-key --key-id ${key} --query KeyMetadata.Arn\n    ${command} ARN`;
  return warning(
    `${key} (${what}): if it is the account's own key, not aws/ebs, slaves end during their launch (Client.InternalError) unless this user or role and AWSServiceRoleForEC2Spot may use it.`,
    advice,
    details,
  );
}

function rootsOf(image: Image | undefined): readonly string[] {
  return (image?.BlockDeviceMappings ?? []).flatMap(it => it.Ebs?.SnapshotId ?? []);
}

/** The key of new volumes where the account encrypts them by default. A denial is reported by `permissions`. */
async function defaultKey(ec2: Ec2): Promise<string | undefined> {
  try {
    const { EbsEncryptionByDefault } = await ec2('GetEbsEncryptionByDefault', {});
    if (EbsEncryptionByDefault !== true) return undefined;
    return (await ec2('GetEbsDefaultKmsKeyId', {})).KmsKeyId;
  } catch (error) {
    if (isDenied(error)) return undefined;
    throw error;
  }
}

async function snapshotsOf(ec2: Ec2, ids: readonly string[]): Promise<readonly Snapshot[]> {
  if (ids.length === 0) return [];
  // A filter, because an id that EC2 does not know, or does not show, is an error otherwise.
  const Filters = [{ Name: 'snapshot-id', Values: [...new Set(ids)] }];
  return (await ec2('DescribeSnapshots', { Filters })).Snapshots ?? [];
}

async function keysInUse(ec2: Ec2, master: string): Promise<ReadonlySet<string>> {
  const Filters = [ownedBy(master), { Name: 'status', Values: ['in-use'] }];
  const { Volumes = [] } = await ec2('DescribeVolumes', { Filters });
  return new Set(Volumes.flatMap(it => it.KmsKeyId ?? []));
}
