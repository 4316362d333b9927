import { destinationOf, noConnectionHint } from '../../login/prepare.ts';
import { NO_CONNECTION, runSsh } from '../../login/ssh.ts';
import type { Given } from '../given.ts';
import { withSlave } from '../slave-of.ts';

/**
 * `gbrowse-aws-balancer ssh`: a shell on a slave, or a command there.
 *
 * @returns the exit status of ssh, which is that of the command
 */
export async function ssh(given: Given<'ssh'>): Promise<number> {
  const at = given.words.indexOf('--');
  const words = at === -1 ? given.words : given.words.slice(0, at);
  const command = at === -1 ? [] : given.words.slice(at + 1);
  return await withSlave({ ...given, words }, async ({ ec2, config, slave }) => {
    const destination = await destinationOf(ec2, config, slave, given.identity, { onWait: say });
    const isInteractive = process.stdin.isTTY && process.stdout.isTTY;
    const status = await runSsh(destination, {
      options: isInteractive ? ['-t'] : [],
      command,
      stdin: 'inherit',
      stdout: 'inherit',
    });
    if (status === NO_CONNECTION) say(noConnectionHint(config, destination));
    return status;
  });
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
