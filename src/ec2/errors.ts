/** The code that stands for "no answer came": a time limit, a broken connection, a name that does not resolve. */
export const NO_ANSWER = 'NoAnswer';

/** An EC2 call that failed. Like every error of EC2, it is told apart by its code, never by its message. */
export class Ec2Error extends Error {
  /** EC2's error code (`InsufficientInstanceCapacity`), or `NoAnswer`. */
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

/** By name, because each lazily loaded part of the bundle has a class of its own. */
export function isEc2Error(error: unknown): error is Ec2Error {
  return error instanceof Error && error.name === 'Ec2Error';
}

/**
 * What kind of trouble a code stands for; each code stands here and nowhere else. From the error codes of the EC2 API
 * reference, the ones that CreateFleet puts into `Errors[]` included.
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
  throttling: ['RequestLimitExceeded', 'Throttling', 'ThrottlingException', 'RequestThrottled', 'SlowDown'],
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
  'in-use': ['DependencyViolation', 'VolumeInUse'],
  mismatch: ['IdempotentParameterMismatch'],
  unreachable: [NO_ANSWER],
  service: ['InternalError', 'InternalFailure', 'ServiceUnavailable', 'Unavailable', 'Server.InternalError'],
};

const BY_CODE = new Map<string, Trouble>(
  Object.entries(CODES).flatMap(([trouble, codes]) => codes.map(code => [code, trouble as Trouble] as const)),
);

/** Which trouble a failed call, or a code out of CreateFleet's `Errors[]`, stands for. */
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

/**
 * Whether the call may have had its effect all the same: no answer, or a server's failure. A call that creates
 * something must then be repeated with the same ClientToken, or be looked for.
 */
export function mayHaveHappened(error: Ec2Error): boolean {
  const trouble = troubleOf(error);
  return trouble === 'unreachable' || trouble === 'service';
}
