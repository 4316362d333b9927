import { parseConfig } from '../../src/config/load.ts';
import { PAUSE } from '../../src/pause/pause-file.ts';
import { createRandom } from '../../src/simulate/random.ts';
import { MASTER_TAG } from '../../src/spot/tags.ts';
import type { PoolFilter } from '../fake-aws/ec2/market.ts';
import type { InstanceView } from '../fake-aws/ec2/view.ts';
import { configText } from './configuration.ts';
import { drawSettings } from './history.ts';
import type { Scene } from './scene.ts';
import { GOOD, isGoodData } from './snapshots.ts';
import type { Trouble } from './troubles.ts';

export type Troublemaker = {
  strike(trouble: Trouble): void;
  /** Ends everything that goes on: from now on all is well. */
  heal(): void;
};

/** Breaks a world, and repairs it. */
export function createTroublemaker(scene: Scene): Troublemaker {
  const { clock, cloud, account, master, note } = scene;
  const { market, faults } = cloud;
  const goingOn = new Map<number, () => void>();
  let number = 0;
  const prices = market.pools().map(({ instanceType, zone, price }) => ({ instanceType, zone, price }));

  /** Ends after `duration`, or when all is healed. */
  function until(duration: number, end: () => void): void {
    const mine = ++number;
    goingOn.set(mine, end);
    void clock.sleep(Math.max(1, duration)).then(() => {
      if (!goingOn.delete(mine)) return;
      end();
    });
  }

  /** One of the slaves that live. */
  function pick(which: number, fits: (it: InstanceView) => boolean = () => true): InstanceView | undefined {
    const all = scene.live(master.name).filter(fits);
    return all[Math.floor(which * all.length)];
  }

  function setPrices(): void {
    for (const { price, ...where } of prices) market.set({ price }, where satisfies PoolFilter);
  }

  function byHand(action: Promise<unknown>): void {
    void action.catch(() => {});
  }

  function strike(trouble: Trouble): void {
    const { at: _, kind, ...rest } = trouble;
    note('world', `*** ${kind} ${JSON.stringify(rest)}`);
    switch (trouble.kind) {
      case 'ec2 fails': {
        const { code, when, probability, actions } = trouble;
        const hits = { ...(actions.length > 0 && { action: actions }), when, probability };
        until(trouble.duration, faults.add(code === 'hang' ? { ...hits, hang: true } : { ...hits, code }));
        return;
      }
      case 'no capacity':
        market.set({ capacity: trouble.left });
        until(trouble.duration, () => market.set({ capacity: Number.POSITIVE_INFINITY }));
        return;
      case 'price rises':
        market.set({ price: trouble.price });
        until(trouble.duration, setPrices);
        return;
      case 'pools refuse':
        market.set({ refusal: trouble.code });
        until(trouble.duration, () => market.set({ refusal: undefined }));
        return;
      case 'interruption': {
        const slave = pick(trouble.which);
        if (slave === undefined) return;
        cloud.interrupt(slave.id, trouble.notice, { finalAtOnce: trouble.finalAtOnce });
        return;
      }
      case 'terminated by hand':
      case 'powers off': {
        const slave = pick(trouble.which);
        if (slave === undefined) return;
        if (trouble.kind === 'powers off') cloud.powerOff(slave.id);
        else cloud.terminate(slave.id);
        return;
      }
      case 'fails to start': {
        const slave = pick(trouble.which, it => it.state === 'pending');
        if (slave !== undefined) cloud.fail(slave.id);
        return;
      }
      case 'tag taken away': {
        const slave = pick(trouble.which);
        if (slave === undefined) return;
        const Tags = [{ Key: MASTER_TAG, Value: 'the administrator' }];
        byHand(cloud.ec2('CreateTags', { Resources: [slave.id], Tags }));
        return;
      }
      case 'template deleted by hand': {
        const template = account.launchTemplates().find(it => it.tags[MASTER_TAG] === master.name);
        if (template !== undefined)
          byHand(cloud.ec2('DeleteLaunchTemplate', { LaunchTemplateId: template.id }));
        return;
      }
      case 'slave behaves': {
        const slave = pick(trouble.which);
        if (slave === undefined || scene.behaviour(slave.id) !== undefined) return;
        scene.behave(slave.id, trouble.how);
        until(trouble.duration, () => scene.behave(slave.id, undefined));
        return;
      }
      case 'apache':
        scene.setApache(trouble.how);
        until(trouble.duration, () => scene.setApache(undefined));
        return;
      case 'apache restarts':
        scene.apache.restart();
        return;
      case 'apache counts':
        scene.apache.shiftCounter(trouble.shift);
        return;
      case 'disk':
        master.disk.fail(trouble.how);
        until(trouble.duration, () => master.disk.fail(undefined));
        return;
      case 'file written by somebody':
        scene.edit(written(trouble.how, master.disk.text() ?? ''));
        return;
      case 'reload fails':
      case 'reload is slow':
        master.disk.reloads(trouble.kind === 'reload fails' ? 'fails' : 'is slow');
        until(trouble.duration, () => master.disk.reloads(undefined));
        return;
      case 'own trouble':
        scene.setOwnTrouble(trouble.how);
        until(trouble.duration, () => scene.setOwnTrouble(undefined));
        return;
      case 'keeper dies':
        master.killKeeper();
        return;
      case 'state lost':
        master.states.lose({ name: trouble.what ?? 'budget' }, trouble.how);
        return;
      case 'paused': {
        const { release, length } = trouble;
        master.pause({ release, ...(length !== undefined && { duration: length }) });
        return;
      }
      case 'resumed':
        master.pause(undefined);
        return;
      case 'clock steps':
        scene.stepWall(trouble.by);
        return;
      case 'machine sleeps':
        master.clock.suspend(trouble.duration);
        return;
      case 'killed':
        master.kill(trouble.downtime);
        return;
      case 'killed at a call':
        master.killAfter(trouble.after, trouble.downtime);
        return;
      case 'stopped':
        master.stop(trouble.how, trouble.downtime);
        return;
      case 'new data':
        scene.write({ ...scene.settings(), data: trouble.snapshots });
        return;
      case 'configuration':
        configure(trouble);
        return;
    }
  }

  function configure(trouble: Extract<Trouble, { kind: 'configuration' }>): void {
    if (master.clock.isAsleep()) return;
    const random = createRandom(`configuration ${trouble.seed}`);
    const settings = trouble.how === 'the same' ? scene.settings() : drawSettings(random, false);
    if (trouble.how !== 'bad') {
      scene.configure(settings);
      return;
    }
    // A bad file is refused as a whole: the balancer goes on with the old one.
    const text = configText(master.name, settings).replace(/^spot_bid.*$/m, 'spot_bid = much');
    if (parseConfig('aws_balancer.conf', text).config !== undefined)
      throw new Error('a bad configuration was accepted');
  }

  return {
    strike,
    heal() {
      note('world', '*** all is well from now on');
      for (const end of goingOn.values()) end();
      goingOn.clear();
      faults.clear();
      scene.healthyBoots();
      const pause = master.paused();
      if (pause !== undefined && pause.until === undefined) master.states.write(PAUSE, undefined);
      const { data = [] } = scene.settings();
      if (!isGoodData(data.join(' '))) scene.write({ ...scene.settings(), data: [GOOD[0]] });
    },
  };
}

function written(how: 'torn' | 'empty' | 'garbage' | 'foreign' | 'gone', text: string): string | undefined {
  switch (how) {
    case 'torn':
      return text.slice(0, Math.floor(text.length * 0.6));
    case 'empty':
      return '';
    case 'garbage':
      return '\u0000\u00ff= [[[\n\tremote renderer http://\n[GENERAL\nrenderfarm = ';
    case 'foreign':
      return '[GENERAL]\nrenderfarm = 1\nremote renderer = http://192.0.2.1:9000\n  "http://192.0.2.2:9000"\n[other]\nx = 1\n';
    case 'gone':
      return undefined;
  }
}
