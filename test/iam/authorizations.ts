import { type Authorization, arnOf, type Context } from './evaluator.ts';

type Tags = Readonly<Record<string, string>>;

/** A call to EC2, as it goes over the wire: `TagSpecification.1.Tag.1.Key`. */
export type WireCall = { readonly action: string; readonly parameters: Readonly<Record<string, string>> };

/** The account, as far as authorization looks at it. */
export type Account = {
  readonly region: string;
  /** Tags of what is there, by id. */
  readonly tags: ReadonlyMap<string, Tags>;
  /** The parameters of the CreateLaunchTemplate call that each launch template (by id) came from. */
  readonly templates: ReadonlyMap<string, Readonly<Record<string, string>>>;
};

/**
 * Every question that AWS asks of the caller's policies for a call. From the Service Authorization Reference; the EC2
 * User Guide, "Grant permission to tag Amazon EC2 resources during creation" (CreateTags is asked for besides) and
 * "EC2 Fleet prerequisites" (RunInstances is); and the examples of "Launch instances", which name what each needs.
 */
export async function authorizationsOf(call: WireCall, account: Account): Promise<readonly Authorization[]> {
  const { action, parameters } = call;
  const ask = asker(account);
  if (/^(Describe|GetEbs)/.test(action)) {
    const context = { 'ec2:Region': account.region };
    return [{ action: `ec2:${action}`, arn: '*', context }];
  }
  switch (action) {
    case 'CreateLaunchTemplate':
      return ask.created(action, tagsByType(own(parameters, 'TagSpecification')), ['launch-template']);
    case 'CreateSecurityGroup':
      return [
        ...(await ask.created(action, tagsByType(parameters), ['security-group'])),
        await ask.existing(action, 'vpc', parameters.VpcId ?? ''),
      ];
    case 'CreateFleet':
      return fleet(call, account);
    case 'RunInstances':
      return launch(parameters, tagsByType(parameters), account);
    case 'CreateSnapshots':
      return [
        ...(await ask.created(action, tagsByType(parameters), ['snapshot'])),
        await ask.existing(action, 'instance', parameters['InstanceSpecification.InstanceId'] ?? ''),
      ];
    case 'CreateImage':
      return [
        ...(await ask.created(action, tagsByType(parameters), ['image', 'snapshot'])),
        await ask.existing(action, 'instance', parameters.InstanceId ?? ''),
      ];
    case 'CreateTags': {
      const keys = values(parameters, /^Tag\.\d+\.Key$/);
      const more: Context = { 'aws:TagKeys': keys, ...requestTags(wireTags(parameters, /^Tag\.(\d+)\./)) };
      return ask.each(action, values(parameters, /^ResourceId\.\d+$/), more);
    }
    default:
      return ask.each(
        action,
        values(
          parameters,
          /^(InstanceId|SpotInstanceRequestId|VolumeId|SnapshotId|GroupId|LaunchTemplateId|KeyPairId|ImageId)(\.\d+)?$/,
        ),
      );
  }
}

async function fleet({ action, parameters }: WireCall, account: Account): Promise<readonly Authorization[]> {
  const ask = asker(account);
  const templateId = values(parameters, /LaunchTemplateSpecification\.LaunchTemplateId$/)[0] ?? '';
  const template = account.templates.get(templateId) ?? {};
  const inCall = tagsByType(parameters);
  const inTemplate = tagsByType(own(template, 'LaunchTemplateData.TagSpecification'));
  const both = new Map(
    [...new Set([...inCall.keys(), ...inTemplate.keys()])].map(type => [
      type,
      { ...inTemplate.get(type), ...inCall.get(type) },
    ]),
  );
  both.delete('fleet');
  const data = own(template, 'LaunchTemplateData.');
  const subnets = values(parameters, /Overrides\.\d+\.SubnetId$/);
  const [type] = values(parameters, /(^|\.)InstanceType$/);
  const instance = await ask.made(action, 'instance', inCall.get('instance'));
  return [
    ...(await ask.created(action, new Map([...inCall].filter(([type]) => type === 'fleet')), ['fleet'])),
    type === undefined
      ? instance
      : { ...instance, context: { ...instance.context, 'ec2:InstanceType': type } },
    await ask.made(action, 'volume', undefined),
    await ask.existing(action, 'launch-template', templateId),
    await ask.existing(action, 'image', data['LaunchTemplateData.ImageId'] ?? ''),
    ...(await Promise.all(subnets.map(id => ask.existing(action, 'subnet', id)))),
    await ask.existing('RunInstances', 'launch-template', templateId),
    ...(await launch({ ...data, ...parameters }, both, account)),
  ];
}

async function launch(
  parameters: Readonly<Record<string, string>>,
  tags: ReadonlyMap<string, Tags>,
  account: Account,
): Promise<readonly Authorization[]> {
  const ask = asker(account);
  const template = values(parameters, /LaunchTemplateSpecification\.LaunchTemplateId$/)[0];
  const market = values(parameters, /DefaultTargetCapacityType$|MarketType$/)[0] ?? 'on-demand';
  const isSpot = market === 'spot';
  const made = ['instance', 'volume', 'network-interface', ...(isSpot ? ['spot-instances-request'] : [])];
  const used: readonly (readonly [string, RegExp])[] = [
    ['image', /(^|\.)ImageId$/],
    ['subnet', /(^|\.)SubnetId$/],
    ['security-group', /SecurityGroup(Id)?\.\d+$/],
    ['snapshot', /\.Ebs\.SnapshotId$/],
    ['key-pair', /(^|\.)KeyName$/],
  ];
  const existing = used.flatMap(([type, name]) =>
    values(parameters, name).map(id => ask.existing('RunInstances', type, id)),
  );
  const [type] = values(parameters, /(^|\.)InstanceType$/);
  const about = {
    'ec2:InstanceMarketType': market,
    ...(type !== undefined && { 'ec2:InstanceType': type }),
    ...(template !== undefined && {
      'ec2:LaunchTemplate': await arnOf('launch-template', template, account.region),
    }),
  };
  const created = await ask.created('RunInstances', tags, made);
  return [
    ...created.map(it =>
      it.action === 'ec2:RunInstances' ? { ...it, context: { ...it.context, ...about } } : it,
    ),
    ...(await Promise.all(existing)),
  ];
}

/** What is asked about one resource. */
function asker({ region, tags }: Account) {
  const question = async (
    action: string,
    type: string,
    id: string,
    more: Context,
  ): Promise<Authorization> => ({
    action: `ec2:${action}`,
    resourceType: type,
    arn: await arnOf(type, id, region),
    context: { 'ec2:Region': region, ...more },
  });
  const made = (action: string, type: string, requested: Tags | undefined) =>
    question(action, type, '*', requestTags(requested ?? {}));
  const existing = (action: string, type: string, id: string, more: Context = {}) =>
    question(action, type, id, { ...resourceTags(tags.get(id) ?? {}), ...more });
  return {
    made,
    existing,
    each: (action: string, ids: readonly string[], more: Context = {}) =>
      Promise.all(ids.map(id => existing(action, typeOf(id), id, more))),
    created: async (action: string, requested: ReadonlyMap<string, Tags>, types: readonly string[]) => [
      ...(await Promise.all(types.map(type => made(action, type, requested.get(type))))),
      ...(await Promise.all(
        [...requested].map(([type, all]) =>
          question('CreateTags', type, '*', {
            'ec2:CreateAction': action,
            'aws:TagKeys': Object.keys(all),
            ...requestTags(all),
          }),
        ),
      )),
    ],
  };
}

const TYPES: Readonly<Record<string, string>> = {
  ami: 'image',
  i: 'instance',
  key: 'key-pair',
  lt: 'launch-template',
  sg: 'security-group',
  sir: 'spot-instances-request',
  snap: 'snapshot',
  vol: 'volume',
};

function typeOf(id: string): string {
  const [prefix = ''] = id.split('-');
  const type = TYPES[prefix];
  if (type === undefined) throw new Error(`what is ${id}?`);
  return type;
}

const requestTags = (tags: Tags) => withPrefix('aws:RequestTag', tags);
const resourceTags = (tags: Tags) => withPrefix('aws:ResourceTag', tags);

function withPrefix(prefix: string, tags: Tags): Context {
  return Object.fromEntries(Object.entries(tags).map(([key, value]) => [`${prefix}/${key}`, value]));
}

function values(parameters: Readonly<Record<string, string>>, name: RegExp): readonly string[] {
  return Object.entries(parameters).flatMap(([key, value]) => (name.test(key) ? [value] : []));
}

function own(parameters: Readonly<Record<string, string>>, prefix: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(parameters).filter(([key]) => key.startsWith(prefix)));
}

/** The tags that a call, or a launch template, gives each type of resource. */
function tagsByType(parameters: Readonly<Record<string, string>>): ReadonlyMap<string, Tags> {
  const types = Object.entries(parameters).flatMap(([key, type]) => {
    const [, specification] = /^(.*TagSpecification\.\d+)\.ResourceType$/.exec(key) ?? [];
    return specification === undefined ? [] : [[type, own(parameters, `${specification}.`)] as const];
  });
  return new Map(types.map(([type, all]) => [type, wireTags(all, /\.Tag\.(\d+)\./)]));
}

function wireTags(parameters: Readonly<Record<string, string>>, number: RegExp): Tags {
  const tags = new Map<string, { key?: string; value?: string }>();
  for (const [name, text] of Object.entries(parameters)) {
    const at = number.exec(name)?.[1];
    if (at === undefined) continue;
    const tag = tags.get(at) ?? {};
    tags.set(at, { ...tag, ...(name.endsWith('Key') ? { key: text } : { value: text }) });
  }
  return Object.fromEntries([...tags.values()].map(({ key = '', value = '' }) => [key, value]));
}
