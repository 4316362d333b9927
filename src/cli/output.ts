import { systemCode } from '../errors.ts';

/**
 * Decides what happens when standard output or standard error cannot be written. A reader that has read enough (`| head
 * -1`: EPIPE) or a closed terminal (EIO) is no error: the rest is lost and the command goes on to its own exit status.
 * A full disk is an error: it is reported once, and the exit status is 1.
 */
export function guardOutput(): void {
  process.stderr.on('error', () => {});
  let isLost = false;
  process.stdout.on('error', error => {
    const code = systemCode(error);
    if (isLost || code === 'EPIPE' || code === 'EIO') return;
    isLost = true;
    process.stderr.write(`the standard output cannot be written: ${error.message}\n`);
    process.once('exit', status => {
      if (status === 0) process.exitCode = 1;
    });
  });
}
