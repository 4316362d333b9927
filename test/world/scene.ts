import { createHash } from 'node:crypto';
import { MINUTE, SECOND } from '../../src/clock.ts';
import type { Ec2 } from '../../src/ec2/api.ts';
import { Ec2Error, NO_ANSWER } from '../../src/ec2/errors.ts';
import { listedIn } from '../../src/farm/renderfarm.ts';
import type { Level } from '../../src/log/log.ts';
import { createRandom } from '../../src/simulate/random.ts';
import { MASTER_TAG } from '../../src/spot/tags.ts';
import { createSimulatedApache, type SimulatedApache } from '../fake-aws/apache.ts';
import { DEFAULT_EC2_SETTINGS } from '../fake-aws/ec2/settings.ts';
import { createSimulatedEc2 } from '../fake-aws/ec2/simulated-ec2.ts';
import type { InstanceView } from '../fake-aws/ec2/view.ts';
import { createLoadProfile } from '../fake-aws/load-profile.ts';
import { createVirtualClock } from '../fake-aws/virtual-clock.ts';
import { endedIn } from './answers.ts';
import { type ApacheTrouble, createStatusReader } from './apache.ts';
import { createDisk } from './disk.ts';
import { drawSettings, type History, type Settings } from './history.ts';
import { createMachineClock, type MachineClock } from './machine-clock.ts';
import { ADDRESS, createMaster, type Master, type Process } from './master.ts';
import type { Mutation } from './mutation.ts';
import { createWorldSlaves } from './slaves.ts';
import { SNAPSHOT_SIZES } from './snapshots.ts';
import { NOBODY, type Witness } from './witness.ts';

/** Where the slaves of all configurations listen; a URL of a torn file may name another port. */
const PORTS: readonly string[] = ['8101', '8102'];
/** How many lines of a history's log are kept for people. */
const LINES_KEPT = 3000;

export type Scene = Awaited<ReturnType<typeof createScene>>;

/**
 * The world of a history, before anything happens in it: EC2, slaves, Apache, a disk and a master whose balancer is the
 * production one, all in virtual time.
 */
export async function createScene(history: History, mutation?: Mutation) {
  let witness: Witness = NOBODY;
  const clock = createVirtualClock(undefined, () => witness.onStep());
  const random = createRandom(`world ${history.seed}`);
  const hash = createHash('sha256');
  const lines: string[] = [];
  const epoch = clock.wall();

  function note(who: string, what: string): void {
    const line = `${(clock.monotonic() / SECOND).toFixed(3)} ${who}: ${what}`;
    hash.update(line).update('\n');
    lines.push(line);
    if (lines.length > 2 * LINES_KEPT) lines.splice(0, LINES_KEPT);
  }

  const masters: Master[] = [];
  let changes = 0;
  let lookFailedAt = Number.NEGATIVE_INFINITY;
  let steppedAt = Number.NEGATIVE_INFINITY;
  const senders = new WeakMap<object, { readonly master: Master; readonly at: number }>();
  const cloud = createSimulatedEc2({
    clock,
    random,
    settings: {
      latency: [history.latency / 3, history.latency],
      lag: [0, history.lag],
      pendingTime: [4 * SECOND, 15 * SECOND],
      shutdownTime: [2 * SECOND, 40 * SECOND],
      snapshots: { ...DEFAULT_EC2_SETTINGS.snapshots, ...SNAPSHOT_SIZES },
      callsKept: 50,
    },
    onEffect(effect) {
      const sender = senders.get(effect.request);
      slaves.born(effect);
      if (sender?.master === masters[0]) changes += slaves.newborn().size + endedIn(effect).length;
      witness.onEffect(sender?.master, effect, sender?.at ?? clock.monotonic());
      sender?.master.moment();
    },
  });
  const { account } = cloud;
  const slaves = createWorldSlaves({
    clock,
    random,
    cloud,
    address: ADDRESS,
    brokenBoots: history.brokenBoots,
    note,
    onReady: (instance, address) => witness.onReady(instance, address),
  });

  let apacheTrouble: ApacheTrouble | undefined;
  let ownTrouble: 'descriptors' | 'network' | undefined;
  const profile = createLoadProfile(history.load);
  // Apache is on the master's machine, and sleeps with it.
  const machine = createMachineClock(clock);
  const apache = createSimulatedApache(machine, profile);

  function addMaster(
    name: string,
    settings: Settings,
    on: MachineClock,
    load: { readonly apache: SimulatedApache; readonly trouble: () => ApacheTrouble | undefined },
    mutant?: Mutation,
  ): Master {
    const self: { master?: Master } = {};
    const ec2: Ec2 = async (action, request, options) => {
      const { master } = self;
      if (master === undefined) throw new Error('nobody calls');
      senders.set(request, { master, at: clock.monotonic() });
      witness.onCall(master, action);
      try {
        if (ownTrouble !== undefined && master === masters[0]) {
          await clock.sleep(SECOND);
          throw new Ec2Error(action, NO_ANSWER, `no ${ownTrouble}`);
        }
        const answer = await cloud.ec2(action, request, options);
        note(name, `${action}: ok`);
        witness.onAnswer(master, action);
        return answer;
      } catch (error) {
        if (action === 'DescribeInstances') lookFailedAt = clock.monotonic();
        note(name, `${action}: ${error instanceof Error && 'code' in error ? error.code : error}`);
        throw error;
      } finally {
        master.moment();
      }
    };
    const disk = createDisk(clock, {
      before: () => self.master?.moment(),
      written: urls => {
        note(name, `renderfarm.conf: ${urls.join(' ')}`);
        if (self.master === masters[0]) changes += 1;
        if (self.master !== undefined) witness.onWrite(self.master, urls);
        self.master?.moment();
      },
    });
    const master = createMaster(
      name,
      {
        clock,
        machine: on,
        ec2: (action, request, options) => {
          // A process that is killed here never sends it.
          return self.master?.moment() === true ? new Promise(() => {}) : ec2(action, request, options);
        },
        readStatus: createStatusReader({
          clock,
          ...load,
          pollInterval: () => self.master?.config().master.pollInterval ?? Number.POSITIVE_INFINITY,
          onReading: how => witness.onReading(self.master, how),
        }),
        probe: async (...asked) => {
          if (ownTrouble === undefined || self.master !== masters[0]) return await slaves.probe(...asked);
          await clock.sleep(SECOND);
          return ownTrouble === 'network' ? 'dark' : 'unknown';
        },
        disk,
        log: (level: Level, message: string) => {
          note(name, `${level} ${message}`);
          if (self.master !== undefined) witness.onLog(self.master, message);
        },
        onBook: (process, book) => {
          if (self.master !== undefined) witness.onBook(self.master, process, book);
        },
        onBookWrite: how => {
          if (self.master !== undefined) witness.onBookWrite(self.master, how);
        },
        onSpent: isKnown => {
          if (self.master !== undefined) witness.onSpent(self.master, isKnown);
        },
        onStart: (process: Process) => {
          note(name, `--- started, process ${process.number}`);
          witness.onStart(master, process);
        },
        onEnd: (process, how) => {
          note(name, `--- ended: ${how instanceof Error ? how.stack : how}`);
          witness.onEnd(master, process, how);
        },
        onKill: process => {
          note(name, '--- killed');
          witness.onKill(master, process);
        },
      },
      { settings, reach: history.reach, keepsBook: history.book === true, mutation: mutant },
    );
    self.master = master;
    masters.push(master);
    return master;
  }

  const master = addMaster(
    'balancer',
    history.settings,
    machine,
    { apache, trouble: () => (ownTrouble === 'descriptors' ? 'no descriptors' : apacheTrouble) },
    mutation,
  );
  if (history.neighbour) {
    const load = createLoadProfile(history.load.map(step => ({ ...step, from: step.from + 3 * MINUTE })));
    const theirs = createSimulatedApache(clock, load);
    addMaster('neighbour', drawSettings(random.fork('neighbour'), false), createMachineClock(clock), {
      apache: theirs,
      trouble: () => undefined,
    });
  }

  const read = createReader();
  let settings = history.settings;

  return {
    history,
    /** What the administrator's file says. */
    settings: () => settings,
    /** The administrator edits the file, and tells the daemon to read it again. */
    configure(next: Settings) {
      settings = next;
      master.write(next);
      master.reload();
    },
    /** The administrator, or sync, edits the file; the daemon sees it by itself. */
    write(next: Settings) {
      settings = next;
      master.write(next);
    },
    clock,
    /** Monotonic true time of one of EC2's moments. */
    timeOf: (moment: number) => moment - epoch,
    random,
    cloud,
    account,
    master,
    masters,
    apache,
    note,
    /** The latest lines of the log. */
    lines: () => lines.slice(-LINES_KEPT),
    /** What tells two courses of the world apart. */
    digest: () => hash.copy().digest('hex'),
    call(on: Witness) {
      witness = on;
    },
    behave: slaves.behave,
    behaviour: slaves.behaviour,
    setApache(how: ApacheTrouble | undefined) {
      apacheTrouble = how;
    },
    apacheTrouble: () => apacheTrouble,
    setOwnTrouble(how: typeof ownTrouble) {
      ownTrouble = how;
    },
    ownTrouble: () => ownTrouble,
    /** When the load last changed, by the monotonic clock of the master's machine. */
    loadChangedAt: () => history.load.findLast(it => it.from <= machine.monotonic())?.from ?? 0,
    /** Of an instance that a call's answer speaks of: whether that call has made it. */
    isNew: (id: string) => slaves.newborn().has(id),
    /** Whether it had ended before this moment. */
    isGone: (id: string) => (account.instance(id)?.endsAt ?? Number.POSITIVE_INFINITY) < account.now(),
    /** Somebody else writes the balancer's farm file. */
    edit(text: string | undefined) {
      master.disk.edit(text);
      witness.onEdit(master);
    },
    /** When a look at EC2 failed last. */
    lookFailedAt: () => lookFailedAt,
    /** When the wall clock was set last. */
    steppedAt: () => steppedAt,
    stepWall(by: number) {
      clock.stepWall(by);
      steppedAt = clock.monotonic();
    },
    /** How many instances the effect of this moment has made. */
    newborn: () => slaves.newborn().size,
    /** How often the fleet or the farm was changed by a master: instances born or ended, lists written. */
    changes: () => changes,
    /** Whether EC2 has said that it takes the instance back. */
    hasNotice: (id: string) => account.instance(id)?.noticedAt !== undefined,
    loadNow: () => profile.requestsPerSecondAt(machine.monotonic()),
    /** No slave that is launched from now on is born broken. */
    healthyBoots: slaves.healthyBoots,
    /** Since when (true monotonic ms) a slave gives no service; undefined: it does. */
    deadSince: slaves.deadSince,
    /** The instances of a master that exist, by the truth of its tag. */
    live: (name: string): InstanceView[] =>
      account.instances().filter(it => isLive(it) && it.tags[MASTER_TAG] === name),
    /** The instances behind the URLs that a farm file has now; undefined for a port at which no slave listens. */
    listed: (of: Master) =>
      read(of.disk.text() ?? '').map(url => {
        const { hostname = '', port = '' } = URL.parse(url) ?? {};
        return PORTS.includes(port) ? account.instanceAt(hostname) : undefined;
      }),
  };
}

/** What a farm file lists; the same text again is not read again. */
function createReader(): (text: string) => readonly string[] {
  let last: { readonly text: string; readonly urls: readonly string[] } | undefined;
  return text => {
    if (last?.text !== text) last = { text, urls: listedIn(text) };
    return last.urls;
  };
}

export function isLive(instance: InstanceView): boolean {
  return instance.state === 'pending' || instance.state === 'running';
}
