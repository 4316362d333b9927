/** The code of a call that got no answer: a time limit, a broken connection, a name that does not resolve. */
export const NO_ANSWER = 'NoAnswer';

/** The code of a call whose answer did not come from EC2: the page of a captive portal, an empty body, half an answer. */
export const FOREIGN_ANSWER = 'ForeignAnswer';

/** EC2's answer to a call with `DryRun` that would have been allowed. */
const DRY_RUN = 'DryRunOperation';

/** An EC2 call that failed. Programs tell these errors apart by their code, never by their message. */
export class Ec2Error extends Error {
  /** EC2's error code (`InsufficientInstanceCapacity`), or `NoAnswer`, or `ForeignAnswer`. */
  readonly code: string;
  readonly action: string;
  /** HTTP status, when there was an answer. */
  readonly httpStatus: number | undefined;

  constructor(action: string, code: string, message: string, httpStatus?: number) {
    super(message);
    this.name = 'Ec2Error';
    this.action = action;
    this.code = code;
    this.httpStatus = httpStatus;
  }
}

export function isEc2Error(error: unknown): error is Ec2Error {
  return error instanceof Ec2Error;
}

/**
 * The kind of trouble that each code means; this is the only file with codes. From the error codes of the EC2 API
 * reference, with the ones that CreateFleet puts into `Errors[]`.
 */
export type Trouble =
  | 'capacity'
  | 'price'
  | 'quota'
  | 'throttling'
  | 'permission'
  | 'credentials'
  | 'request'
  | 'gone'
  | 'in-use'
  | 'exists'
  | 'mismatch'
  | 'unreachable'
  | 'service';

const CODES: Record<Exclude<Trouble, 'request' | 'gone' | 'exists'>, readonly string[]> = {
  capacity: [
    'InsufficientInstanceCapacity',
    'InsufficientHostCapacity',
    'InsufficientCapacity',
    'InsufficientFreeAddressesInSubnet',
    'UnfulfillableCapacity',
    'UnsupportedOperation.InsufficientCapacity',
  ],
  price: ['SpotMaxPriceTooLow', 'SpotPriceTooLow'],
  quota: [
    'MaxSpotInstanceCountExceeded',
    'InstanceLimitExceeded',
    'VcpuLimitExceeded',
    'MaxSpotFleetRequestCountExceeded',
    'SpotInstanceCountLimitExceeded',
    'VolumeLimitExceeded',
    'MaxIOPSLimitExceeded',
    'AddressLimitExceeded',
    'SecurityGroupLimitExceeded',
    'RulesPerSecurityGroupLimitExceeded',
    'ResourceLimitExceeded',
  ],
  throttling: [
    'RequestLimitExceeded',
    'Throttling',
    'ThrottlingException',
    'RequestThrottled',
    'SlowDown',
    'SnapshotCreationPerVolumeRateExceeded',
    'ConcurrentSnapshotLimitExceeded',
    'PendingSnapshotLimitExceeded',
  ],
  permission: [
    'UnauthorizedOperation',
    'AccessDenied',
    'AccessDeniedException',
    'OptInRequired',
    'AuthFailure.ServiceLinkedRoleCreationNotPermitted',
  ],
  credentials: [
    'AuthFailure',
    'InvalidClientTokenId',
    'SignatureDoesNotMatch',
    'ExpiredToken',
    'ExpiredTokenException',
    'RequestExpired',
    'UnrecognizedClientException',
    'CredentialsProviderError',
    'MissingAuthenticationToken',
    'IncompleteSignature',
    'Blocked',
    'PendingVerification',
  ],
  'in-use': ['DependencyViolation', 'VolumeInUse', 'InvalidSnapshot.InUse'],
  mismatch: ['IdempotentParameterMismatch'],
  unreachable: [NO_ANSWER, FOREIGN_ANSWER],
  service: ['InternalError', 'InternalFailure', 'ServiceUnavailable', 'Unavailable', 'Server.InternalError'],
};

const BY_CODE = new Map<string, Trouble>(
  Object.entries(CODES).flatMap(([trouble, codes]) => codes.map(code => [code, trouble as Trouble] as const)),
);

/** The kind of trouble that a failed call, or a code in CreateFleet's `Errors[]`, means. */
export function troubleOf(error: {
  readonly code: string;
  readonly httpStatus?: number | undefined;
}): Trouble {
  const known = BY_CODE.get(error.code);
  if (known !== undefined) return known;
  if (/\.NotFound(Exception)?$/.test(error.code)) return 'gone';
  if (/\.(Duplicate|AlreadyExistsException)$/.test(error.code)) return 'exists';
  return (error.httpStatus ?? 400) >= 500 ? 'service' : 'request';
}

/** Errors that pass by themselves: EC2 is busy or has trouble, or something is between. */
export const PASSING: readonly Trouble[] = ['throttling', 'service', 'unreachable'];

function is(error: unknown, ...troubles: readonly Trouble[]): boolean {
  return isEc2Error(error) && troubles.includes(troubleOf(error));
}

/** Whether the call may succeed when it is repeated. */
export function isPassing(error: unknown): boolean {
  return is(error, ...PASSING);
}

/** Whether what the call names does not exist: deleted, ended, or so new that EC2 does not show it. */
export function isGone(error: unknown): boolean {
  return is(error, 'gone');
}

/** Whether the id in the call names nothing: gone, no longer usable, or not an id at all. */
export function isNoSuch(error: unknown): boolean {
  return isGone(error) || (isEc2Error(error) && /\.(Malformed|Unavailable)$/.test(error.code));
}

/** Whether the image of the slaves or a snapshot does not exist, by the code of an error or of CreateFleet's `Errors[]`. */
export function isImageOrSnapshotGone({ code }: { readonly code: string }): boolean {
  return /^Invalid(AMIID|Snapshot(ID)?)\.(NotFound|Malformed|Unavailable)$/.test(code);
}

/** Whether something of that name exists already. */
export function isDuplicate(error: unknown): boolean {
  return is(error, 'exists');
}

/** Whether something that still exists keeps EC2 from deleting what the call names. */
export function isInUse(error: unknown): boolean {
  return is(error, 'in-use');
}

/** Whether the user or role may not do this. */
export function isDenied(error: unknown): boolean {
  return is(error, 'permission');
}

/** Whether this pool (a type in a zone) has nothing now, or never has: another one may. */
export function isNoCapacity(error: unknown): boolean {
  return is(error, 'capacity') || (isEc2Error(error) && isUnsupported(error));
}

/** Whether a zone does not offer the instance type, by the code of an error or of CreateFleet's `Errors[]`. */
function isUnsupported({ code }: { readonly code: string }): boolean {
  return code === 'Unsupported';
}

/** Whether this kind of instance cannot do what the call asks. */
export function isUnsupportedOperation(error: unknown): boolean {
  return isEc2Error(error) && error.code === 'UnsupportedOperation';
}

/** Whether no answer came from EC2. */
export function isUnreachable(error: unknown): boolean {
  return is(error, 'unreachable');
}

/** Whether the volume is being modified already. */
export function isBeingModified(error: unknown): boolean {
  return isEc2Error(error) && error.code === 'IncorrectModificationState';
}

/** Whether the volume was modified within the last six hours: EBS allows no more. */
export function isModifiedTooSoon(error: unknown): boolean {
  return isEc2Error(error) && error.code === 'VolumeModificationRateExceeded';
}

/** Whether a call with `DryRun` would have been allowed: EC2 says so with an error. */
export function isDryRun(error: unknown): boolean {
  return isEc2Error(error) && error.code === DRY_RUN;
}

/**
 * Whether the call may have had its effect all the same: no answer, or a server's failure. Then repeat a call that
 * creates something with the same ClientToken, or search for what it made.
 */
export function mayHaveHappened(error: unknown): boolean {
  return is(error, 'unreachable', 'service');
}

/**
 * The answer of the call; undefined when what it names is gone.
 *
 * @throws whatever else went wrong
 */
export async function unlessGone<T>(call: Promise<T>): Promise<T | undefined> {
  return await unless(isGone, call);
}

/** The answer of the call; undefined when it fails with an error of this kind. */
export async function unless<T>(kind: (error: unknown) => boolean, call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (kind(error)) return undefined;
    throw error;
  }
}
