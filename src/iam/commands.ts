/** Who gets a policy. */
export type PolicyHolder = {
  /** Value of the ownership tag; part of the names that IAM gets. */
  readonly master: string;
  readonly region: string;
  /** The master, where it is an EC2 instance: it gets a role. Elsewhere there is a user with an access key. */
  readonly instanceId?: string;
  /** The role that this instance already has: EC2 lets it have only one. */
  readonly role?: string;
  /** The ARN of a key of the account's own that encrypts the volumes of slaves. */
  readonly kmsKey?: string;
};

/** IAM takes so many characters for the name of a role or a user (IAM User Guide, "IAM and AWS STS quotas"). */
const LONGEST_NAME = 64;

/**
 * The lines of the AWS CLI, for a shell of somebody who may change IAM, that give a policy to a master.
 *
 * @param policy the text of the policy: ASCII, ending with a newline
 */
export function policyCommands(policy: string, who: PolicyHolder): string {
  const { master, region, instanceId, role, kmsKey } = who;
  const name = `gbrowse-aws-balancer-${master.replaceAll(/[^\w+=,.@-]/g, '-')}`.slice(0, LONGEST_NAME);
  const create = [
    '# The policy.',
    heredoc('policy.json', policy),
    `POLICY=$(aws iam create-policy --policy-name ${name} \\`,
    '  --policy-document file://policy.json --query Policy.Arn --output text)',
    '',
  ];
  const holder =
    instanceId === undefined
      ? user(name)
      : role === undefined
        ? newRole(name, region, instanceId)
        : presentRole(role);
  return `${['set -e', '', ...create, ...holder, ...(kmsKey === undefined ? [] : grant(kmsKey))].join('\n')}\n`;
}

function presentRole(role: string): readonly string[] {
  return [
    '# The role that this instance already has gets it too.',
    `aws iam attach-role-policy --role-name ${role} --policy-arn "$POLICY"`,
  ];
}

function newRole(name: string, region: string, instanceId: string): readonly string[] {
  const service = region.startsWith('cn-') ? 'ec2.amazonaws.com.cn' : 'ec2.amazonaws.com';
  const trust = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }],
  };
  return [
    '# A role with it, which EC2 instances may take.',
    heredoc('trust.json', `${JSON.stringify(trust, undefined, 2)}\n`),
    `aws iam create-role --role-name ${name} --assume-role-policy-document file://trust.json`,
    `aws iam attach-role-policy --role-name ${name} --policy-arn "$POLICY"`,
    '',
    '# The role for this instance. IAM needs some seconds until EC2 knows the profile.',
    `aws iam create-instance-profile --instance-profile-name ${name}`,
    `aws iam add-role-to-instance-profile --instance-profile-name ${name} --role-name ${name}`,
    `aws iam wait instance-profile-exists --instance-profile-name ${name}`,
    'sleep 15',
    `aws ec2 associate-iam-instance-profile --region ${region} --instance-id ${instanceId} \\`,
    `  --iam-instance-profile Name=${name}`,
  ];
}

function user(name: string): readonly string[] {
  return [
    '# A user with it, and an access key: SecretAccessKey is shown this once. The two go into',
    '# ACCESS_KEY and SECRET_KEY of /etc/default/gbrowse-aws-balancer.',
    `aws iam create-user --user-name ${name}`,
    `aws iam attach-user-policy --user-name ${name} --policy-arn "$POLICY"`,
    `aws iam create-access-key --user-name ${name}`,
  ];
}

/** EC2 User Guide, "Service-linked role for Spot Instance requests": encrypted AMIs and snapshots. */
const SPOT_OPERATIONS =
  'Decrypt Encrypt GenerateDataKey GenerateDataKeyWithoutPlaintext CreateGrant DescribeKey ReEncryptFrom ReEncryptTo';

function grant(key: string): readonly string[] {
  const [, partition = 'aws', , region = ''] = key.split(':');
  return [
    '',
    "# EC2's own role for spot instances uses the key too. (Where the account has never had one, create it first:",
    '# aws iam create-service-linked-role --aws-service-name spot.amazonaws.com)',
    'ACCOUNT=$(aws sts get-caller-identity --query Account --output text)',
    `aws kms create-grant --region ${region} --key-id ${key} \\`,
    `  --grantee-principal "arn:${partition}:iam::$ACCOUNT:role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot" \\`,
    `  --operations ${SPOT_OPERATIONS}`,
  ];
}

function heredoc(file: string, text: string): string {
  return `cat > ${file} <<'END'\n${text}END`;
}
