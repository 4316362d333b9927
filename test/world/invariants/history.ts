import { HOUR, MINUTE, SECOND } from '../../../src/clock.ts';
import { type Book, hoursOf } from '../../../src/history/book.ts';
import { sumOf } from '../../../src/history/tally.ts';
import { onDemandPrice } from '../../../src/spot/list-prices.ts';
import { MASTER_TAG } from '../../../src/spot/tags.ts';
import { bornIn } from '../answers.ts';
import type { Master, Process } from '../master.ts';
import type { Invariant } from './invariant.ts';

const BID = 0.1;
/** How long EC2 may go on showing an earlier price. */
const SHOWN = 20 * SECOND;
/** The totals are compared so often. */
const COMPARED = 5 * MINUTE;

/** What the history should have; by `slack` dollars it may differ. */
type Total = { readonly dollars: number; readonly slack: number; readonly launches: number };

type Past = {
  total: Total;
  /** At the latest decision, when a write began, and in the file. */
  observed: Total;
  writing: Total;
  saved: Total;
  /** The latest decision: true monotonic ms, by the machine's clock, the slaves that cost money, when prices were known. */
  last?:
    | {
        readonly at: number;
        readonly machine: number;
        readonly counted: ReadonlySet<string>;
        readonly pricedAt: number;
      }
    | undefined;
  comparedAt: number;
  pricedAt: number;
  /** Launched by the process of that number; counted once it has seen them. */
  readonly born: Map<string, number>;
  /** Whether the file of the latest hours was lost: then the history goes on with what it has. */
  isLost: boolean;
};

const NOTHING: Total = { dollars: 0, slack: 0, launches: 0 };

/**
 * 16. "The history's totals of money and launches agree with what EC2 charged."
 *
 * EC2's truth: each instance of this master costs the market's price, at most the bid, or the list price where it was bought on
 * demand, from running to its end; counted is
 * what it costs while a balancer runs, and what a kill has not left unwritten. The history may differ by what the
 * balancer could not know: the seconds between the truth and what EC2 has shown it, and prices that have changed since it
 * asked; and it says itself how much it has counted with the bid. Launches: those that the process that launched them has
 * seen, each once. (Not judged once the clock was set.)
 */
export const historyIsTrue: Invariant = (scene, accuse) => {
  const { clock, account, cloud } = scene;
  const pasts = new Map<Master, Past>();
  const changedAt = new Map<string, { readonly price: number; readonly at: number }>();

  function pastOf(master: Master): Past {
    const known = pasts.get(master);
    if (known !== undefined) return known;
    const total = { total: NOTHING, observed: NOTHING, writing: NOTHING, saved: NOTHING };
    const fresh: Past = { ...total, comparedAt: 0, pricedAt: 0, born: new Map(), isLost: false };
    pasts.set(master, fresh);
    return fresh;
  }

  function notePrices(): void {
    for (const { instanceType, zone, price } of cloud.market.pools()) {
      const pool = `${instanceType} ${zone}`;
      const at = changedAt.has(pool) ? clock.monotonic() : Number.NEGATIVE_INFINITY;
      if (changedAt.get(pool)?.price !== price) changedAt.set(pool, { price, at });
    }
  }

  /** What the time since the latest decision has cost, and by how much the history may differ for that. */
  function add(master: Master, past: Past): void {
    const { last } = past;
    if (last === undefined) return;
    const now = clock.monotonic();
    const span = now - last.at;
    const slept = span - (master.clock.monotonic() - last.machine);
    let { dollars, slack } = past.total;
    const unseen = new Set(last.counted);
    for (const it of account.instances()) {
      if (it.tags[MASTER_TAG] !== master.name && !last.counted.has(it.id)) continue;
      const end = scene.timeOf(it.endsAt ?? Number.POSITIVE_INFINITY);
      const ms = Math.max(0, Math.min(now, end) - Math.max(last.at, scene.timeOf(it.runningAt)));
      const { price: spot = BID, at = now } = changedAt.get(`${it.instanceType} ${it.zone}`) ?? {};
      const isSpot = it.spotRequestId !== undefined;
      const price = isSpot ? Math.min(spot, BID) : (onDemandPrice(it.instanceType) ?? BID);
      const cost = (ms / HOUR) * price;
      const dearest = Math.max(spot, price, BID) / HOUR;
      dollars += cost;
      const isKnown = unseen.delete(it.id);
      if (!isKnown) slack += cost;
      else slack += dearest * (span - ms);
      if (isKnown && isSpot && at + SHOWN > last.pricedAt) slack += dearest * ms;
    }
    slack += (BID / HOUR) * span * unseen.size;
    if (slept > 1) slack += (BID / HOUR) * slept * last.counted.size;
    past.total = { ...past.total, dollars, slack };
  }

  function countLaunches(process: Process, past: Past): void {
    for (const id of process.balancer.state.members.keys()) {
      if (past.born.get(id) !== process.number) continue;
      past.born.delete(id);
      past.total = { ...past.total, launches: past.total.launches + 1 };
    }
  }

  function compare(master: Master, past: Past, book: Book): void {
    const { dollars, atMost, launches } = sumOf(
      hoursOf(book).map(it => it.tally),
      0,
    );
    if (past.isLost) {
      past.isLost = false;
      past.total = { dollars, slack: atMost, launches };
      past.saved = past.total;
      return;
    }
    const { total } = past;
    const slack = total.slack + 0.01 * total.dollars + 0.0005;
    if (total.dollars > dollars + slack || total.dollars < dollars - atMost - slack)
      accuse(
        16,
        `${master.name}: the history has $${dollars}, $${atMost} of it at the bid; EC2 charged $${total.dollars}, give or take $${slack}`,
      );
    if (launches !== total.launches)
      accuse(16, `${master.name}: the history has ${launches} launches, there were ${total.launches}`);
  }

  return {
    onStart(master) {
      const past = pastOf(master);
      past.total = past.saved;
      past.last = undefined;
      past.comparedAt = clock.monotonic() + SECOND - COMPARED;
      past.isLost = past.saved !== NOTHING && !master.hasHistory();
    },
    onAnswer(master, action) {
      if (action === 'DescribeSpotPriceHistory') pastOf(master).pricedAt = clock.monotonic();
    },
    onEffect(master, effect) {
      const number = master?.process()?.number;
      if (master === undefined || number === undefined) return;
      for (const id of bornIn(effect)) if (scene.isNew(id)) pastOf(master).born.set(id, number);
    },
    onBook(master, process, book) {
      const past = pastOf(master);
      notePrices();
      add(master, past);
      countLaunches(process, past);
      past.observed = past.total;
      const now = clock.monotonic();
      const counted = [...process.balancer.state.members.values()].filter(
        ({ slave, readySince }) => slave.state !== 'pending' || readySince !== undefined,
      );
      past.last = {
        at: now,
        machine: master.clock.monotonic(),
        counted: new Set(counted.map(it => it.slave.instanceId)),
        pricedAt: past.pricedAt,
      };
      if (now - past.comparedAt < COMPARED || scene.steppedAt() > 0) return;
      past.comparedAt = now;
      compare(master, past, book());
    },
    onBookWrite(master, how) {
      const past = pastOf(master);
      if (how === 'begins') past.writing = past.observed;
      else past.saved = past.writing;
    },
  };
};
