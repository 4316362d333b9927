import { MINUTE, systemClock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import type { Ec2 } from '../ec2/api.ts';
import { isEc2Error } from '../ec2/errors.ts';
import { explain } from '../ec2/explain.ts';
import { patient } from '../ec2/retry.ts';
import { failure, usageError } from '../errors.ts';
import { choiceLines, choices, chosen } from '../login/choose.ts';
import { describeSlaves } from '../spot/describe-slaves.ts';
import type { Slave } from '../spot/slave.ts';
import { ask } from './ask-keys.ts';
import { connectMaster } from './connect.ts';

type GivenMaster = Parameters<typeof connectMaster>[0] & { readonly words: readonly string[] };

/** A slave of this master's, and the account that it is in. */
export type SlaveHere = { readonly ec2: Ec2; readonly config: Config; readonly slave: Slave };

/**
 * Does something with the slave that the command line names; where there are several and it names none, asks at the
 * terminal.
 *
 * @throws {UserError} when it is not clear which one is meant, or EC2 does not show the slaves
 */
export async function withSlave<T>(given: GivenMaster, work: (here: SlaveHere) => Promise<T>): Promise<T> {
  const { config, site, sdk } = await connectMaster(given, { image: false });
  try {
    const ec2 = patient(sdk.ec2, systemClock, undefined, MINUTE);
    const all = choices(await slavesOf(ec2, site));
    const [word] = given.words;
    const slave = chosen(all, word, Date.now()) ?? (await pick(all));
    return await work({ ec2, config, slave });
  } finally {
    sdk.close();
  }
}

async function slavesOf(ec2: Ec2, site: { readonly name: string; readonly reach: 'private' | 'public' }) {
  try {
    return await describeSlaves(ec2, site.name, site.reach);
  } catch (error) {
    if (!isEc2Error(error)) throw error;
    throw failure(`the slaves cannot be listed: ${explain(error)}`, { cause: error });
  }
}

async function pick(all: readonly Slave[]): Promise<Slave> {
  const list = choiceLines(all, Date.now()).join('\n');
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw usageError(`there are ${all.length} slaves; name one by its id, address or number:\n${list}`);
  }
  process.stderr.write(`${list}\n`);
  const answer = await ask(`Which slave? [1-${all.length}] `, true);
  const slave = answer === '' ? undefined : chosen(all, answer, Date.now());
  if (slave === undefined) throw usageError('no slave was chosen');
  return slave;
}
