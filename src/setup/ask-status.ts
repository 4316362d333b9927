import { sentence } from '../check/sentence.ts';
import { canSwitchOn, STATUS_BLOCK_FILE, statusTrouble, switchOn } from './mod-status.ts';
import type { SetupTools } from './tools.ts';

/** Addresses of this machine's own Apache. */
const HERE = ['localhost', '127.0.0.1', '[::1]'];

/** Makes sure that Apache gives the load; where this machine's does not, offers to switch mod_status on. */
export async function askForStatus(url: string, dryRun: boolean, { ask, say }: SetupTools): Promise<void> {
  const trouble = await statusTrouble(url);
  if (trouble === undefined) return say(`mod_status: ${url} gives the load.`);
  const advice = `mod_status: ${sentence(trouble.message)}`;
  if (dryRun || !trouble.isAnswer || !canSwitchOn() || !HERE.includes(new URL(url).hostname))
    return say(advice);
  // Its first sentence says what is wrong, the others what setup can do itself.
  say(`mod_status: ${sentence(trouble.message.split('. ', 1)[0] ?? '')}`);
  say(
    `setup can switch it on at once: it runs "a2enmod status" and reloads Apache. If that is not enough, it writes ${STATUS_BLOCK_FILE}, which lets this machine alone read the page. If that does not help either, it undoes both.`,
  );
  const isWanted = await ask.confirm('Switch mod_status on in this machine’s Apache, and reload it?', true);
  if (!isWanted) return say(advice);
  try {
    for (const line of await switchOn(url)) say(line);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    say(`mod_status could not be switched on: ${sentence(error.message)}`);
  }
}
