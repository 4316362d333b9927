import { isOutOfService } from '../../../src/balancer/members.ts';
import { isLoadKnown } from '../../../src/balancer/wanted.ts';
import { largestMax, rangeFor } from '../../../src/policy/load-table.ts';
import { DATA_TAG } from '../../../src/spot/tags.ts';
import type { Master } from '../master.ts';
import type { Invariant } from './invariant.ts';

/**
 * 10. "New data reach every slave, and cost the farm nothing."
 *
 * When a slave is released for its old data, the others in service are as many as the load needs; but one less when the
 * fleet is at the largest `max`, where nothing can be launched before something is released. Data with which no slave
 * has ever become ready cost at most that one. A slave beyond the `max` of a known load is no loss. (That in the end every slave has the data of the file is seen when all is
 * well: `settle.ts`.)
 */
export const instanceRefreshIsGentle: Invariant = (_scene, accuse) => {
  const released = new Map<Master, { readonly since: number; readonly ids: Set<string> }>();
  const proven = new Set<string>();

  return {
    onReady: instance => void proven.add(instance.tags[DATA_TAG] ?? ''),
    onLog(master, message) {
      const id = /^releasing slave (\S+) .*its data are out of date/.exec(message)?.[1];
      const state = master.process()?.balancer.state;
      if (id === undefined || state?.lastRate === undefined) return;
      // One that was not in service is no loss.
      const member = state.members.get(id);
      if (member?.readySince === undefined || isOutOfService(member)) return;
      const { loadTable, slave } = state.config;
      const members = [...state.members.values()];
      const remaining = members.filter(it => it.leaving === undefined).length;
      const { min, max } = rangeFor(loadTable, state.lastRate);
      if (isLoadKnown(state) && remaining >= max) return;
      const before = released.get(master);
      const since = master.changedAt();
      const ids = before?.since === since ? before.ids.add(id) : new Set([id]);
      released.set(master, { since, ids });
      const data = slave.dataSnapshots.join(' ');
      if (ids.size > 1 && !proven.has(data)) {
        accuse(10, `${master.name} gave ${ids.size} slaves up for ${data}, with which none has become ready`);
      }
      const others = members.filter(it => it.readySince !== undefined && it.leaving === undefined).length;
      const asked = state.instancesInFlight.size + (state.launchInFlight?.count ?? 0);
      const staying = remaining + asked;
      const atTheTop = staying + 1 >= largestMax(loadTable);
      if (others < (atTheTop ? min - 1 : min)) {
        accuse(10, `${master.name} gave ${id} up, and ${others} are in service, of at least ${min}`);
      }
    },
  };
};
