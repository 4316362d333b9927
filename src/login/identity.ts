import { access, constants, stat } from 'node:fs/promises';
import path from 'node:path';
import { failure, messageOf } from '../errors.ts';

/**
 * The file of the private key: the given one, else the one in `~/.ssh` that is called as the key pair is, the way that
 * EC2's console names its downloads (`NAME.pem`) or without the suffix. Undefined: ssh finds the key itself, in its agent
 * or its default places.
 *
 * @throws {UserError} when the given file cannot be read
 */
export async function findIdentity(
  given: string | undefined,
  keyPair: string,
  home: string,
): Promise<string | undefined> {
  if (given !== undefined) {
    try {
      await access(given, constants.R_OK);
      if ((await stat(given)).isDirectory()) throw failure(`${given} is a directory`);
      return given;
    } catch (error) {
      throw failure(`--identity: the private key cannot be read: ${messageOf(error)}`, { cause: error });
    }
  }
  if (keyPair.includes('/')) return undefined;
  for (const name of [`${keyPair}.pem`, keyPair]) {
    const file = path.join(home, '.ssh', name);
    if (await isReadable(file)) return file;
  }
  return undefined;
}

async function isReadable(file: string): Promise<boolean> {
  return await access(file, constants.R_OK).then(
    () => true,
    () => false,
  );
}

/** The words for a configuration without a key pair: how to get one, and what has it then. */
export function noKeyPair(configFile: string): string {
  return `nobody can log in to the slaves, because [SLAVE] ssh_key is not set in ${configFile}. To log in to slaves that are launched from then on:
    ssh-keygen -t ed25519 -f ~/.ssh/gbrowse-slaves
    aws ec2 import-key-pair --key-name gbrowse-slaves --public-key-material fileb://~/.ssh/gbrowse-slaves.pub
    write "ssh_key = gbrowse-slaves" into the section [SLAVE] of ${configFile}
    service gbrowse-aws-balancer reload`;
}
