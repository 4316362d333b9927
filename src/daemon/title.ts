import { PROGRAM } from './self.ts';

/**
 * Makes `ps` and `/proc/PID/cmdline` show the program's name and these words instead of the command line that the
 * process was started with. A title longer than that command line is cut off.
 *
 * @param words the arguments, without the values of secrets
 */
export function hideArguments(words: readonly string[]): void {
  process.title = [PROGRAM, ...words].join(' ');
}
