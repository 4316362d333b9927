import { isSamePause, type Pause, pauseInWords, untilInWords } from '../policy/pause.ts';
import type { Agenda } from './agenda.ts';
import { type State, say } from './state.ts';

/** A pause begins, changes or ends; does nothing when it is as before. */
export function recordPause(state: State, pause: Pause | undefined): void {
  if (isSamePause(state.pause, pause)) return;
  if (pause === undefined) {
    delete state.pause;
    say(state, 'info', 'the pause is over: GBrowse draws on the slaves again');
    return;
  }
  state.pause = pause;
  const end = '"gbrowse-aws-balancer resume" ends it';
  say(state, 'info', `paused ${untilInWords(pause)}: ${pauseInWords(pause)}; ${end}`);
}

/** While the balancer is paused nothing is launched, and nothing is released because of the load. */
export function decidePaused({ state, change }: Agenda): void {
  if (state.pause?.release !== true) return;
  for (const [instanceId, { leaving }] of state.members)
    if (leaving === undefined) change({ kind: 'release', instanceId, reason: 'the balancer is paused' });
}
