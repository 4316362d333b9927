import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { SECOND, systemClock } from '../../clock.ts';
import { isEc2Error } from '../../ec2/errors.ts';
import { isUserError } from '../../errors.ts';
import { harmless } from '../../format/harmless.ts';
import { addedTo, readConsole } from '../../login/console.ts';
import { logCommand } from '../../login/log-script.ts';
import { consoleFailure, destinationOf, noConnectionHint } from '../../login/prepare.ts';
import { type Destination, NO_CONNECTION, runSsh } from '../../login/ssh.ts';
import type { Given } from '../given.ts';
import { type SlaveHere, withSlave } from '../slave-of.ts';

/** How often a console is read that is followed. */
const BETWEEN = 5 * SECOND;

/**
 * `gbrowse-aws-balancer logs`: a slave's own logs over ssh; where that is not possible, its console as EC2 shows it.
 *
 * @returns the exit status
 */
export async function logs(given: Given<'logs'>): Promise<number> {
  return await withSlave(given, async here => {
    const { ec2, config, slave } = here;
    try {
      const destination = await destinationOf(ec2, config, slave, given.identity, { patience: 0 });
      const status = await overSsh(destination, given);
      if (status !== NO_CONNECTION) return status;
      say(noConnectionHint(config, destination));
    } catch (error) {
      if (!isUserError(error) || isEc2Error(error.cause)) throw error;
      say(error.message);
    }
    say(`The console of ${slave.instanceId}, as EC2 shows it:`);
    return await fromConsole(here, given);
  });
}

async function overSsh(destination: Destination, { lines, follow }: Given<'logs'>): Promise<number> {
  const started = Promise.withResolvers<ChildProcess>();
  const ended = runSsh(destination, {
    command: [logCommand(lines, follow)],
    // Its end ends the other side.
    stdin: follow ? 'pipe' : 'ignore',
    stdout: 'pipe',
    onStart: started.resolve,
  });
  const { stdout } = await Promise.race([started.promise, ended.then(() => ({ stdout: null }))]);
  if (stdout !== null) await printLines(stdout);
  return await ended;
}

/** What a slave writes is somebody else's: a visitor's request is part of it. */
async function printLines(from: Readable): Promise<void> {
  for await (const line of createInterface({ input: from, crlfDelay: Number.POSITIVE_INFINITY })) {
    print(line);
  }
}

async function fromConsole({ ec2, slave }: SlaveHere, { lines, follow }: Given<'logs'>): Promise<number> {
  const { instanceId } = slave;
  const read = () =>
    readConsole(ec2, instanceId).catch((error: unknown) => {
      throw isEc2Error(error) ? consoleFailure(instanceId, error) : error;
    });
  let text = await read();
  if (text === '') say('It is still empty; EC2 shows it seconds to minutes after the boot.');
  else for (const line of linesOf(text).slice(-lines)) print(line);
  while (follow) {
    await systemClock.sleep(BETWEEN);
    const now = await read();
    for (const line of linesOf(addedTo(text, now))) print(line);
    text = now;
  }
  return 0;
}

function linesOf(text: string): readonly string[] {
  return text === '' ? [] : text.replace(/\r?\n$/, '').split(/\r*\n/);
}

function print(line: string): void {
  process.stdout.write(`${line.split('\t').map(harmless).join('\t')}\n`);
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
