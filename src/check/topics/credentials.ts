import { FOREIGN_ANSWER, isEc2Error, NO_ANSWER } from '../../ec2/errors.ts';
import { messageOf } from '../../errors.ts';
import { type Finding, isNotChecked, ok, problem, skipped } from '../finding.ts';
import { whoIs } from '../identity.ts';
import type { Topic } from '../topic.ts';
import type { KeySource, World } from '../world.ts';

/** The SDK's names of the places that it searches, in its order. */
const SDK_PLACES: readonly (readonly [RegExp, string])[] = [
  [/IMDS/, 'the role of this EC2 instance'],
  [/HTTP/, 'the role of this container'],
  [/STS_ASSUME_ROLE_WEB_ID|ENV_VARS_STS_WEB_ID_TOKEN/, 'a web identity token'],
  [/SSO/, 'SSO'],
  [/PROCESS/, 'the program that the profile names'],
  [/PROFILE/, 'a profile of ~/.aws'],
  [/ENV_VARS/, 'AWS_ACCESS_KEY_ID of the environment'],
];

/** Whether there are credentials, where they come from, whose they are, and whether AWS accepts them. */
export const credentials: Topic = {
  name: 'credentials',
  async check(world) {
    const { sdk, source } = await world.sdk();
    let keyId: string;
    try {
      keyId = await sdk.findCredentials();
    } catch (error) {
      return [none(world, error)];
    }
    const place = await placeOf(source, world, sdk.credentialSources);
    try {
      await world.authenticated();
    } catch (error) {
      if (isNotChecked(error)) return [skipped(`${keyId}, from ${place}; their owner was ${error.message}.`)];
      if (!isEc2Error(error)) throw error;
      return [refusal(error.code, error.message, keyId, place)];
    }
    const [who, account] = await Promise.all([
      whoIs(world.sdk, await world.endpoint(), world.edges.env, world.signal),
      accountOf(world),
    ]);
    if (who !== undefined) {
      const details = { ...who, accessKeyId: keyId };
      return [ok(`${who.arn}, account ${who.account}, with ${keyId} from ${place}.`, { details })];
    }
    const whose = account === undefined ? '' : ` of account ${account}`;
    const details = { accessKeyId: keyId, ...(account !== undefined && { account }) };
    return [ok(`${keyId}${whose}, from ${place}; EC2 accepts them.`, { details })];
  },
};

/** The account, as an answer of EC2 shows it; undefined when that call is not permitted. */
async function accountOf(world: World): Promise<string | undefined> {
  const { ec2 } = await world.account();
  try {
    const { SecurityGroups = [] } = await ec2('DescribeSecurityGroups', { MaxResults: 5 });
    return SecurityGroups[0]?.OwnerId;
  } catch (error) {
    if (isEc2Error(error)) return undefined;
    throw error;
  }
}

/** What the SDK says when it finds no credentials anywhere. */
const NOWHERE = /^Could not load credentials from any providers/;

function none(world: World, error: unknown): Finding {
  const said = messageOf(error);
  // A missing profile, an expired session: the SDK's own message says more.
  if (!NOWHERE.test(said)) return problem(`No usable credentials: ${said.replace(/\.$/, '')}.`);
  const settings = world.edges.settingsFile;
  return problem(
    'No credentials were found in the options, the environment, ~/.aws or a role of this machine.',
    `On EC2, give the instance a role. Elsewhere, put the keys for the service into ${settings}:\n    ACCESS_KEY=KEY\n    SECRET_KEY=SECRET\nand for commands into the environment:\n    EC2_ACCESS_KEY=KEY EC2_SECRET_KEY=SECRET gbrowse-aws-balancer check\n"gbrowse-aws-balancer iam-policy" prints the permissions that their owner needs.`,
  );
}

async function placeOf(
  source: KeySource,
  world: World,
  sources: () => Promise<readonly string[]>,
): Promise<string> {
  if (source === 'options') return 'the options';
  if (source === 'environment') return 'EC2_ACCESS_KEY of the environment';
  if (source === 'service') return world.edges.settingsFile;
  const names = (await sources()).join(' ');
  return SDK_PLACES.find(([name]) => name.test(names))?.[1] ?? 'what the AWS SDK finds';
}

/** Why AWS rejects credentials, by the code of its error. */
export function refusal(code: string, message: string, keyId: string, place: string): Finding {
  const begin = `AWS rejects ${keyId} from ${place}`;
  switch (code) {
    case 'RequestExpired':
      return problem(
        `${begin}: this machine's clock is too far from AWS's (${code}).`,
        "Set this machine's clock:\n    timedatectl set-ntp true",
      );
    case 'ExpiredToken':
    case 'ExpiredTokenException':
      return problem(
        `${begin}: the session has expired (${code}).`,
        'Log in again (aws sso login), or use permanent credentials: an instance role or an access key.',
      );
    case 'SignatureDoesNotMatch':
      return problem(
        `${begin}: the secret key does not belong to this access key (${code}).`,
        `Enter the right secret key. AWS shows it only when the access key is created, so create a new access key if it is lost.`,
      );
    case 'AuthFailure':
    case 'InvalidClientTokenId':
    case 'UnrecognizedClientException':
      return problem(
        `${begin}: the access key does not exist (${code}), the clock is wrong, or the region is not enabled for the account.`,
        'Check in the IAM console that the access key exists and is active.',
      );
    case 'Blocked':
    case 'PendingVerification':
    case 'OptInRequired':
      return problem(`${begin}: ${message} (${code}).`, 'Fix the account itself in the AWS console.');
    case NO_ANSWER:
    case FOREIGN_ANSWER:
      return problem(`EC2 does not answer, so ${keyId} from ${place} could not be tried: ${message}.`);
    default:
      return problem(`${begin}: ${message} (${code}).`);
  }
}
