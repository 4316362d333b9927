import { MINUTE, SECOND } from '../../../src/clock.ts';
import { MASTER_TAG } from '../../../src/spot/tags.ts';
import { bornIn, cancelledIn, createdIn, endedIn, taggedIn, touchedIn } from '../answers.ts';
import type { Invariant } from './invariant.ts';

/**
 * 2. "Everything that exists in EC2 carries our tags from birth; after a clean stop nothing exists; […] with the balancer
 * dead for good, every slave ends by itself." (The last, and that nothing is lost described of, are seen at the end of a
 * history: `course.ts`.)
 *
 * From birth: the tags that the resource was created with have this master's name: instances, their spot requests and
 * volumes, fleets, groups, launch templates. A clean stop is one that calls itself so: no live instance, no active spot
 * request, no group and no template of this master's is there then, nor five minutes later if it has not been started
 * again.
 */
export const taggedFromBirth: Invariant = (scene, accuse) => {
  const { account } = scene;
  const strangers = new Set(account.volumes().map(it => it.id));

  function left(name: string): string[] {
    const own = (it: { readonly tags: Readonly<Record<string, string>> }) => it.tags[MASTER_TAG] === name;
    const requests = account
      .spotRequests()
      .filter(
        it => it.state === 'active' && own(it) && account.instance(it.instanceId)?.tags[MASTER_TAG] === name,
      );
    return [
      ...scene.live(name),
      ...requests,
      ...account.groups().filter(own),
      ...account.launchTemplates().filter(own),
    ].map(it => it.id);
  }

  return {
    onEffect(master, effect) {
      if (master === undefined) return;
      const owned = (it: { readonly id: string; readonly tagsAtBirth: Readonly<Record<string, string>> }) => {
        if (it.tagsAtBirth[MASTER_TAG] !== master.name)
          accuse(2, `${it.id} was born without the tag of ${master.name}`);
      };
      const created = createdIn(effect);
      if (created !== undefined) {
        for (const it of [...account.groups(), ...account.launchTemplates(), ...account.fleets()]) {
          if (it.id === created) owned(it);
        }
      }
      const born = bornIn(effect).filter(id => scene.isNew(id));
      if (born.length === 0) return;
      for (const id of born) {
        const instance = account.instance(id);
        if (instance !== undefined) owned(instance);
      }
      for (const request of account.spotRequests()) if (born.includes(request.instanceId)) owned(request);
      for (const volume of account.volumes()) {
        if (strangers.has(volume.id)) continue;
        if (scene.masters.every(it => it.name !== volume.tagsAtBirth[MASTER_TAG])) owned(volume);
      }
    },
    onEnd(master, process, how) {
      if (how !== 'clean') return;
      const check = () => {
        const rest = left(master.name);
        if (rest.length > 0)
          accuse(2, `${master.name} said that it had stopped cleanly, and there still are ${rest.join(' ')}`);
      };
      check();
      void scene.clock.sleep(5 * MINUTE).then(() => master.starts() === process.number && check());
    },
  };
};

/** A look at EC2 that is older than this (ms) is no ground for ending an instance; and what EC2 shows may be old itself. */
const SIGHT = 20 * SECOND;

/**
 * 3. "Nothing is touched that is not ours."
 *
 * Whatever a call of a master changes (ends, tags, opens, closes, deletes, cancels) has this master's tag at that moment,
 * by EC2's truth. An instance whose tag somebody has just taken away (less than 20 s ago, or EC2 could not be looked at since)
 * may not be known yet. A group or template belongs to its maker.
 */
export const nothingOfOthers: Invariant = (scene, accuse) => {
  const { account, clock } = scene;
  const makers = new Map<string, string>();
  const handedOver = new Map<string, number>();
  for (const it of [...account.groups(), ...account.launchTemplates()]) makers.set(it.id, 'somebody');

  return {
    onEffect(master, effect, sentAt) {
      const name = master?.name ?? 'somebody';
      const created = createdIn(effect);
      if (created !== undefined) makers.set(created, name);
      const { action } = effect;
      if (master === undefined) {
        for (const id of taggedIn(effect)) handedOver.set(id, clock.monotonic());
        return;
      }
      for (const id of [...endedIn(effect), ...taggedIn(effect)]) {
        const owner = account.instance(id)?.tags[MASTER_TAG] ?? makers.get(id);
        const at = handedOver.get(id) ?? Number.NEGATIVE_INFINITY;
        // Nor what was done while the machine slept.
        const knowableAt = Math.max(at, master.clock.wokeAt() > at ? master.clock.wokeAt() : at);
        const mayNotKnow = sentAt - knowableAt <= SIGHT || (at > 0 && scene.lookFailedAt() > at);
        if (owner !== name && !mayNotKnow)
          accuse(3, `${name}: ${action} of ${id}, which is ${owner ?? 'nobody'}'s`);
      }
      const touched = touchedIn(effect);
      if (touched !== undefined && makers.get(touched) !== name) {
        accuse(3, `${name}: ${action} of ${touched}, which is ${makers.get(touched)}'s`);
      }
      const cancelled = cancelledIn(effect);
      for (const it of cancelled.length > 0 ? account.spotRequests() : []) {
        const owner = it.tags[MASTER_TAG];
        if (cancelled.includes(it.id) && owner !== name)
          accuse(3, `${name}: ${action} of ${it.id}, which is ${owner}'s`);
      }
    },
  };
};
