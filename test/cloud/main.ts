/**
 *     npm run cloud                      a shell on a master inside of a cloud in a box
 *     npm run cloud -- COMMAND …         runs a command there, and ends with its status
 *     npm run cloud -- --outside …       the master is not an EC2 instance
 *
 * `AWS_ENDPOINT_URL_EC2`, region, credentials and the metadata service are set, so that any AWS client works. Needs root.
 */
import './enter.ts';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { startCloud } from './cloud.ts';
import { cloudMissing } from './requirements.ts';

const missing = cloudMissing();
if (missing !== false) {
  process.stderr.write(`There can be no cloud in a box here: ${missing}. Try: npm run setup\n`);
  process.exit(1);
}
const [first, ...rest] = process.argv.slice(2);
const outside = first === '--outside';
const [command, ...args] = outside ? rest : process.argv.slice(2);
const cloud = await startCloud({ outside });
const program = command ?? process.env.SHELL ?? '/bin/sh';
if (command === undefined) {
  process.stdout.write(
    `EC2 is at ${cloud.endpoint}, with the image ${cloud.image}. The master is ${cloud.master.address}.\n`,
  );
}
const child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, ...cloud.environment } });
// Ctrl-C is for the command.
process.on('SIGINT', () => {});
child.on('error', error => {
  process.stderr.write(`${program} cannot be started: ${error.message}\n`);
  process.exitCode = 127;
});
const [status] = await once(child, 'close');
await cloud.stop();
process.exit(process.exitCode ?? status ?? 1);
