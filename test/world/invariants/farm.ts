import { MINUTE, SECOND } from '../../../src/clock.ts';
import { listedIn } from '../../../src/farm/renderfarm.ts';
import type { InstanceView } from '../../fake-aws/ec2/view.ts';
import { endedIn } from '../answers.ts';
import type { Master } from '../master.ts';
import type { Invariant } from './invariant.ts';

/** A serving slave is probed at least so often, whatever `poll_interval` is (contract; timing.ts). */
const LONGEST_ROUND = MINUTE;
/** Three probes that nobody answers, a second apart, and the writing of the file. */
const THREE_PROBES = 3 * (3 * SECOND + SECOND) + 10 * SECOND;
/** What failed is tried again after at most so long. */
const LONGEST_RETRY = MINUTE;

/** What is remembered of a master's farm. Moments are true monotonic ms. */
type Past = {
  /** The instances that the balancer itself listed last, without those that somebody else has taken out. */
  listed: readonly string[];
  /** When the file had an instance for the last time. */
  readonly lastListed: Map<string, number>;
  /** Until when something has kept the balancer from knowing the farm, or from changing it. */
  hinderedUntil: number;
};

/**
 * 4. "The farm file lists only slaves that were ready, is always parseable, and never lists one whose termination we
 * asked for; a slave that is dead leaves within three rounds."
 *
 * Ready: a probe has found it answering on every port, once. Parseable: after each write GBrowse reads exactly the
 * slaves that were to be written. Asked for: EC2 has taken the call. Dead: it answers no probe, or has ended. A round is
 * `poll_interval`, at most a minute; the three are counted from its death, or from the moment that the balancer could do
 * something about it: it runs, it has seen EC2, the disk takes a file.
 *
 * 5. "No slave is terminated before its drain time unless it is dead or being reclaimed."
 *
 * Drain time: `drain_time` since the balancer's own file listed it for the last time; a slave that never was in it needs
 * none. Not judged: a second signal, which does not wait; a stop whose farm file cannot be written for 20 s; a process
 * that has only the wall clock to go by (the tag of a predecessor) when that was set.
 */
export const farmIsTrue: Invariant = (scene, accuse) => {
  const { clock, account } = scene;
  const ready = new Set<string>();
  const readyAt = new Set<string>();
  const terminated = new Set<string>();
  const pasts = new Map<Master, Past>();
  let checkedAt = Number.NEGATIVE_INFINITY;

  function pastOf(master: Master): Past {
    const known = pasts.get(master);
    if (known !== undefined) return known;
    const fresh: Past = { listed: [], lastListed: new Map(), hinderedUntil: 0 };
    pasts.set(master, fresh);
    return fresh;
  }

  function instancesAt(urls: readonly string[]): (InstanceView | undefined)[] {
    return urls.map(url => account.instanceAt(hostOf(url)));
  }

  function nowListed(past: Past, listed: readonly (InstanceView | undefined)[]): void {
    const ids = new Set(listed.flatMap(it => it?.id ?? []));
    for (const id of past.listed) if (!ids.has(id)) past.lastListed.set(id, clock.monotonic());
    past.listed = [...ids];
  }

  /** A stop that cannot wait for the farm file, or need not. */
  function isExcused(master: Master): boolean {
    const stopping = master.process()?.stopping;
    if (stopping === undefined) return false;
    const hindered = clock.monotonic() - pastOf(master).hinderedUntil < 30 * SECOND + LONGEST_RETRY;
    return stopping.how === 'hurried' || hindered;
  }

  function judgeTermination(master: Master, id: string): void {
    const past = pastOf(master);
    const now = clock.monotonic();
    if (scene.listed(master).some(it => it?.id === id))
      accuse(4, `${id} was terminated while the farm file listed it`);
    const out = past.lastListed.get(id);
    const instance = account.instance(id);
    if (out === undefined || instance === undefined) return;
    const drain = master.drainTimeSince(out);
    const dead = scene.deadSince(id);
    if (now >= out + drain || (dead !== undefined && dead < now) || scene.hasNotice(id)) return;
    if (scene.steppedAt() >= out - MINUTE) return;
    accuse(
      5,
      `${id} was terminated ${(now - out) / SECOND} s after it left the farm, ${drain / SECOND} s are its drain`,
    );
  }

  return {
    onReady(instance, address) {
      ready.add(instance.id);
      readyAt.add(address);
    },
    onWrite(master, urls) {
      const past = pastOf(master);
      const text = master.disk.text() ?? '';
      if (listedIn(text).join(' ') !== urls.join(' '))
        accuse(4, `the file does not say ${urls.join(' ')} but ${text}`);
      const listed = instancesAt(urls);
      listed.forEach((instance, at) => {
        const address = hostOf(urls[at] ?? '');
        if (instance === undefined) {
          if (!readyAt.has(address)) accuse(4, `${address} is listed, which is nobody's address`);
          return;
        }
        if (!ready.has(instance.id)) accuse(4, `${instance.id} is listed and never was ready`);
        else if (terminated.has(instance.id))
          accuse(4, `${instance.id} is listed, and its termination was asked for`);
      });
      nowListed(past, listed);
    },
    onEdit(master) {
      const past = pastOf(master);
      nowListed(
        past,
        scene.listed(master).filter(it => past.listed.includes(it?.id ?? '')),
      );
    },
    onEffect(master, effect) {
      if (master === undefined) return;
      for (const id of endedIn(effect)) {
        if (scene.isGone(id) || isExcused(master)) continue;
        terminated.add(id);
        judgeTermination(master, id);
      }
    },
    onStep() {
      const now = clock.monotonic();
      if (now - checkedAt < SECOND) return;
      checkedAt = now;
      for (const master of scene.masters) {
        const past = pastOf(master);
        const process = master.process();
        const canAct =
          process !== undefined &&
          process.stopping === undefined &&
          !master.clock.isAsleep() &&
          process.balancer.state.describedAt !== undefined &&
          master.disk.trouble() === undefined &&
          // Without descriptors or network it can ask no slave.
          (master !== scene.master || scene.ownTrouble() === undefined);
        if (!canAct) {
          past.hinderedUntil = now;
          continue;
        }
        const { pollInterval } = master.config().master;
        const rounds = 3 * Math.min(pollInterval, LONGEST_ROUND) + THREE_PROBES;
        if (past.listed.length === 0) continue;
        const hindered = Math.max(past.hinderedUntil, master.clock.wokeAt());
        if (now < hindered + LONGEST_RETRY + rounds) continue;
        for (const id of scene.listed(master).flatMap(it => it?.id ?? [])) {
          const dead = scene.deadSince(id);
          // With another configuration the rounds may have become shorter.
          if (dead !== undefined && now > Math.max(dead, master.changedAt()) + rounds) {
            accuse(
              4,
              `${id} has been dead for ${Math.round((now - dead) / SECOND)} s and is still in the farm file`,
            );
          }
        }
      }
    },
  };
};

const hostOf = (url: string) => URL.parse(url)?.hostname ?? '';
