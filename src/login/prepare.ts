import { homedir } from 'node:os';
import { type Clock, MINUTE, SECOND, systemClock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import type { Ec2 } from '../ec2/api.ts';
import { isDenied, isEc2Error } from '../ec2/errors.ts';
import { explain } from '../ec2/explain.ts';
import { failure } from '../errors.ts';
import type { Slave } from '../spot/slave.ts';
import { type HostKey, hostKeysIn, readConsole } from './console.ts';
import { findIdentity, noKeyPair } from './identity.ts';
import { type Destination, requireSsh } from './ssh.ts';

/** EC2 shows the console of instances that are not of the Nitro system some minutes after the boot. */
const PATIENCE = 6 * MINUTE;
const BETWEEN = 5 * SECOND;

type Waiting = {
  /** How long (ms) to wait for the host keys; 0: not at all. */
  readonly patience?: number;
  readonly clock?: Pick<Clock, 'monotonic' | 'sleep'>;
  /** Hears once that it waits. */
  readonly onWait?: (what: string) => void;
};

/**
 * The host keys of a slave, which it prints on its console: AWS, and nobody between, says what is there. Waits until
 * they are shown.
 *
 * @throws {UserError} when they are not shown in time
 * @throws {Ec2Error}
 */
export async function awaitHostKeys(
  ec2: Ec2,
  instanceId: string,
  { patience = PATIENCE, clock = systemClock, onWait = () => {} }: Waiting = {},
): Promise<readonly HostKey[]> {
  const until = clock.monotonic() + patience;
  for (let isFirst = true; ; isFirst = false) {
    const text = await readConsole(ec2, instanceId);
    const keys = hostKeysIn(text);
    if (keys.length > 0) return keys;
    if (clock.monotonic() >= until) throw noHostKeys(instanceId, text);
    if (isFirst) {
      onWait(
        `waiting for the host keys on the console of ${instanceId}, at most ${Math.round(patience / MINUTE)} minutes; EC2 shows them seconds to minutes after the boot`,
      );
    }
    await clock.sleep(BETWEEN);
  }
}

function noHostKeys(instanceId: string, text: string): Error {
  const why =
    text === ''
      ? 'EC2 shows no console of it yet; try again in some minutes'
      : 'its image prints no host keys: let cloud-init do so (emit_keys_to_console), or make an image with "gbrowse-aws-balancer image"';
  return failure(
    `without the SSH host keys of ${instanceId} nobody can tell whether it is the one that answers: ${why}`,
  );
}

/**
 * All that a login needs.
 *
 * @param given `--identity`
 * @throws {UserError} when something is missing; the message says how to get it
 */
export async function destinationOf(
  ec2: Ec2,
  { file, slave: { sshKey, sshUser } }: Config,
  slave: Slave,
  given: string | undefined,
  waiting: Waiting = {},
): Promise<Destination> {
  if (sshKey === undefined) throw failure(noKeyPair(file));
  if (slave.address === undefined || slave.state !== 'running') {
    throw failure(
      `${slave.instanceId} is ${slave.state}${slave.address === undefined ? ' and has no address' : ''}; try again when it runs`,
    );
  }
  // Before the wait for the host keys.
  requireSsh();
  const identity = await findIdentity(given, sshKey, homedir());
  try {
    return {
      instanceId: slave.instanceId,
      address: slave.address,
      login: sshUser,
      hostKeys: await awaitHostKeys(ec2, slave.instanceId, waiting),
      ...(identity !== undefined && { identity }),
    };
  } catch (error) {
    throw isEc2Error(error) ? consoleFailure(slave.instanceId, error) : error;
  }
}

/** The error for a console that cannot be read. */
export function consoleFailure(instanceId: string, error: unknown): Error {
  const hint = isDenied(error) ? '; "gbrowse-aws-balancer iam-policy" prints a policy that allows it' : '';
  return failure(`the console of ${instanceId} cannot be read: ${explain(error)}${hint}`, { cause: error });
}

/** What to do when ssh has failed itself; its own words stand above. */
export function noConnectionHint(config: Config, { login, address, identity }: Destination): string {
  const group =
    config.slave.securityGroup === undefined
      ? "the balancer's security group lets in ssh from the master's address only: run this command there, and reload the balancer if ssh_key is new"
      : `the security group ${config.slave.securityGroup} has to let in TCP port 22 from this machine`;
  const key =
    identity === undefined
      ? `the private key of the key pair "${config.slave.sshKey}" has to be known to ssh (--identity FILE, its agent, or ~/.ssh)`
      : `${identity} has to be the private key of the key pair "${config.slave.sshKey}"`;
  return `no login as ${login} at ${address}. If there was no answer: ${group}. If permission was denied: ${key}, ssh_user (${login}) the login of the image, and the slave launched after ssh_key was set`;
}
