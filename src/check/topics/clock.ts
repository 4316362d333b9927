import { MINUTE, SECOND } from '../../clock.ts';
import { duration } from '../../format/durations.ts';
import { type Finding, notChecked, ok, problem, warning } from '../finding.ts';
import type { Topic } from '../topic.ts';

/** AWS refuses a request whose time is further off (RequestExpired; AWS General Reference, "Signature Version 4"). */
const MOST = 5 * MINUTE;
const MUCH = 1 * MINUTE;

/** This machine's clock against that of EC2: signatures hold for minutes only. */
export const clock: Topic = {
  name: 'clock',
  async check(world) {
    const url = await world.endpoint().catch(() => {
      throw notChecked('EC2 cannot be reached');
    });
    const date = await world.edges.fetchDate(url.href, world.signal).catch(error => {
      if (world.signal.aborted) throw error;
      throw notChecked('EC2 cannot be reached');
    });
    const theirs = Date.parse(date ?? '');
    if (Number.isNaN(theirs)) throw notChecked("EC2's answer has no date");
    return [judged(Date.now() - theirs)];
  },
};

/** What a difference (ms, ours minus theirs) means. */
export function judged(difference: number): Finding {
  const off = Math.abs(difference);
  const details = { secondsAhead: Math.round(difference / SECOND) };
  const way = difference > 0 ? 'ahead of' : 'behind';
  const fix = 'Set the clock:\n    timedatectl set-ntp true';
  if (off > MOST) {
    return problem(
      `This machine's clock is ${duration(off)} ${way} AWS's, which refuses signatures that are more than 5 minutes off (RequestExpired, AuthFailure).`,
      fix,
      { details },
    );
  }
  if (off > MUCH) return warning(`This machine's clock is ${duration(off)} ${way} AWS's.`, fix, { details });
  return ok("This machine's clock and AWS's agree.", { details });
}
