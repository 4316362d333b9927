import type {
  CreateLaunchTemplateRequest,
  CreateLaunchTemplateResult,
  DeleteLaunchTemplateRequest,
  DeleteLaunchTemplateResult,
  DescribeLaunchTemplatesRequest,
  DescribeLaunchTemplatesResult,
  LaunchTemplate,
  RequestLaunchTemplateData,
} from '@aws-sdk/client-ec2';
import type { Account, Template } from './account.ts';
import { type Fields, passes } from './filters.ts';
import { once } from './idempotency.ts';
import { pageOf } from './paging.ts';
import { onlyServed, Refusal } from './refusal.ts';
import { readTagSpecifications, type Tags, tagsAt, toSdkTags } from './tags.ts';

/** User-data may have so many bytes before it is encoded. */
const USER_DATA_LIMIT = 16_384;

export function createLaunchTemplate(
  account: Account,
  request: CreateLaunchTemplateRequest,
): CreateLaunchTemplateResult {
  return once(account.tokens, account.now(), 'CreateLaunchTemplate', request, () => {
    const { LaunchTemplateName: name = '', LaunchTemplateData: data = {}, TagSpecifications } = request;
    if (!/^[a-zA-Z0-9().\-/_]{3,128}$/.test(name)) {
      throw new Refusal(
        'InvalidLaunchTemplateName.MalformedException',
        `The launch template name '${name}' must be between 3 and 128 characters of a-z, A-Z, 0-9 and ( ) . - / _`,
      );
    }
    if ([...account.templates.values()].some(it => it.name === name)) {
      throw new Refusal(
        'InvalidLaunchTemplateName.AlreadyExistsException',
        'Launch template name already in use.',
      );
    }
    checkData(data);
    const tags =
      readTagSpecifications(TagSpecifications, ['launch-template']).get('launch-template') ?? new Map();
    const template = { ...account.newResource('lt', tags), name, data: structuredClone(data) };
    account.templates.set(template.id, template);
    return { LaunchTemplate: toSdkTemplate(account, template) };
  });
}

/** A template is checked for its form alone; whether what it names is there shows when it is used. */
function checkData(data: RequestLaunchTemplateData): void {
  onlyServed('LaunchTemplateData', data, [
    'BlockDeviceMappings',
    'EbsOptimized',
    'ImageId',
    'InstanceInitiatedShutdownBehavior',
    'InstanceType',
    'KeyName',
    'MetadataOptions',
    'Monitoring',
    'NetworkInterfaces',
    'SecurityGroupIds',
    'SecurityGroups',
    'TagSpecifications',
    'UserData',
  ]);
  const { UserData } = data;
  if (UserData !== undefined) {
    if (Buffer.from(UserData, 'base64').toString('base64') !== UserData) {
      throw new Refusal('InvalidUserData.Malformed', 'Invalid BASE64 encoding of user data.');
    }
    if (Buffer.byteLength(UserData, 'base64') > USER_DATA_LIMIT) {
      throw new Refusal('InvalidParameterValue', `User data is limited to ${USER_DATA_LIMIT} bytes`);
    }
  }
  readTagSpecifications(data.TagSpecifications, TAGGED_AT_LAUNCH);
}

/** The kinds of resource that a template may tag when it is used. */
export const TAGGED_AT_LAUNCH = [
  'instance',
  'volume',
  'network-interface',
  'spot-instances-request',
] as const;

const FIELDS: Fields<{ readonly template: Template; readonly tags: Tags }> = {
  'launch-template-name': it => it.template.name,
};

/** A template that is asked for by id or name is there at once; by filters it is shown after its lag. */
export function describeLaunchTemplates(
  account: Account,
  request: DescribeLaunchTemplatesRequest,
): DescribeLaunchTemplatesResult {
  const { LaunchTemplateIds, LaunchTemplateNames } = request;
  const asked = [
    ...(LaunchTemplateIds ?? []).map(id => findTemplate(account, id).id),
    ...(LaunchTemplateNames ?? []).map(name => findTemplate(account, undefined, name).id),
  ];
  const isAsked = LaunchTemplateIds !== undefined || LaunchTemplateNames !== undefined;
  const now = account.now();
  const matches = passes('DescribeLaunchTemplates', request.Filters, FIELDS);
  const templates = [...account.templates.values()].filter(
    template =>
      (isAsked ? asked.includes(template.id) : now >= template.bornAt + template.lag) &&
      matches({ template, tags: tagsAt(template.tags, now - template.lag) }),
  );
  const { items, next } = pageOf(templates, request, { from: 1, to: 200 });
  return { LaunchTemplates: items.map(template => toSdkTemplate(account, template)), ...next };
}

export function deleteLaunchTemplate(
  account: Account,
  request: DeleteLaunchTemplateRequest,
): DeleteLaunchTemplateResult {
  const template = findTemplate(account, request.LaunchTemplateId, request.LaunchTemplateName);
  account.templates.delete(template.id);
  return { LaunchTemplate: toSdkTemplate(account, template) };
}

/** @throws {Refusal} as EC2 does for an id or a name that is not there */
export function findTemplate(account: Account, id: string | undefined, name?: string): Template {
  if (id === undefined && name === undefined) {
    throw new Refusal('MissingParameter', 'Either the launch template ID or its name must be specified');
  }
  const template =
    id === undefined
      ? [...account.templates.values()].find(it => it.name === name)
      : account.templates.get(id);
  if (template !== undefined) return template;
  throw id === undefined
    ? new Refusal(
        'InvalidLaunchTemplateName.NotFoundException',
        `The specified launch template, with template name ${name}, does not exist.`,
      )
    : new Refusal(
        'InvalidLaunchTemplateId.NotFound',
        `The specified launch template, with template ID ${id}, does not exist.`,
      );
}

function toSdkTemplate(account: Account, template: Template): LaunchTemplate {
  return {
    LaunchTemplateId: template.id,
    LaunchTemplateName: template.name,
    CreateTime: new Date(template.bornAt),
    CreatedBy: `arn:aws:iam::${account.settings.accountId}:user/gbrowse`,
    DefaultVersionNumber: 1,
    LatestVersionNumber: 1,
    Tags: toSdkTags(tagsAt(template.tags, account.now() - template.lag)),
  };
}
