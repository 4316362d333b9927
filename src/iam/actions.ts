import type {
  BalancerActions,
  CheckActions,
  Ec2Action,
  ImageActions,
  LeftoverActions,
  LoginActions,
  SyncActions,
} from '../ec2/api.ts';

/**
 * What each action may be done to. From the Service Authorization Reference, "Actions, resources, and condition keys for
 * Amazon EC2":
 *
 * - `describe`: reads, and takes no resource, so only the region can limit it
 * - `create`: makes something that carries tags from the call on (`aws:RequestTag`)
 * - `launch`: makes something too, out of a launch template, an image and others that are there already
 * - `tag`: on what the same call makes (`ec2:CreateAction`), or on what is ours
 * - `change`: changes or removes what is there (`aws:ResourceTag`)
 * - `read`: reads what is ours, in the same way
 */
export type ActionKind = 'describe' | 'create' | 'launch' | 'tag' | 'change' | 'read';

const BALANCER = {
  AuthorizeSecurityGroupIngress: 'change',
  CancelSpotInstanceRequests: 'change',
  CreateFleet: 'launch',
  CreateLaunchTemplate: 'create',
  CreateSecurityGroup: 'create',
  CreateTags: 'tag',
  DeleteLaunchTemplate: 'change',
  DeleteSecurityGroup: 'change',
  DescribeImages: 'describe',
  DescribeInstances: 'describe',
  DescribeLaunchTemplates: 'describe',
  DescribeRouteTables: 'describe',
  DescribeSecurityGroups: 'describe',
  DescribeSpotInstanceRequests: 'describe',
  DescribeSubnets: 'describe',
  RevokeSecurityGroupIngress: 'change',
  TerminateInstances: 'change',
} satisfies Record<keyof BalancerActions, ActionKind>;

/** EC2 launches a fleet of type instant with the caller's rights. */
const FLEET = { RunInstances: 'launch' } as const;

const LEFTOVERS = {
  DeleteSnapshot: 'change',
  DeleteVolume: 'change',
  DeregisterImage: 'change',
  DescribeSnapshots: 'describe',
  DescribeVolumes: 'describe',
} satisfies Record<keyof LeftoverActions, ActionKind>;

const CHECK = {
  DescribeInstanceTypes: 'describe',
  DescribeKeyPairs: 'describe',
  DescribeSpotPriceHistory: 'describe',
  GetEbsDefaultKmsKeyId: 'describe',
  GetEbsEncryptionByDefault: 'describe',
} satisfies Record<keyof CheckActions, ActionKind>;

const SYNC = {
  // It also reads the instance and the volumes, which have to be ours.
  CreateSnapshots: 'create',
  DescribeVolumesModifications: 'describe',
  ModifyVolume: 'change',
  RunInstances: 'launch',
} satisfies Record<keyof SyncActions, ActionKind>;

const IMAGE = {
  // Besides, it reads the instance, which has to be ours.
  CreateImage: 'create',
  RunInstances: 'launch',
} satisfies Record<keyof ImageActions, ActionKind>;

const LOGIN = { GetConsoleOutput: 'read' } satisfies Record<keyof LoginActions, ActionKind>;

/** Which commands a policy is for, beside those that every master uses. */
export type Uses = { readonly sync: boolean; readonly image?: boolean };

/**
 * The actions of a master, those of `sync` and `image` among them where they are used; `gc`, `check`,
 * `logs` and `ssh` need next to nothing more.
 */
export function actionsOf({ sync, image }: Uses): ReadonlyMap<Ec2Action, ActionKind> {
  const all: Partial<Record<Ec2Action, ActionKind>> = {
    ...BALANCER,
    ...FLEET,
    ...LEFTOVERS,
    ...CHECK,
    ...LOGIN,
    ...(sync && SYNC),
    ...(image === true && IMAGE),
  };
  return new Map(
    Object.entries(all)
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([action, kind]) => [action as Ec2Action, kind]),
  );
}
