import { type Clock, SECOND } from '../../src/clock.ts';
import { failure } from '../../src/errors.ts';
import type { Farm } from '../../src/farm/farm.ts';
import { isListed, listedIn } from '../../src/farm/renderfarm.ts';
import { withList } from '../farm/fixtures/with-list.ts';

/** A farm file on a disk that may fail, read and worded by the production code. */
export type Disk = {
  readonly farm: Farm;
  /** The file's text; undefined: there is none. */
  text(): string | undefined;
  /** Somebody else writes the file. */
  edit(text: string | undefined): void;
  /** From now on reads or writes fail; undefined: all is well. */
  fail(how: 'full' | 'read-only' | 'unreadable' | 'hangs' | undefined): void;
  /** From now on Apache cannot be told, or only slowly. */
  reloads(how: 'fails' | 'is slow' | undefined): void;
  readonly trouble: () => string | undefined;
};

/** What the rest of the file says: it has to stay. */
export const FOREIGN_LINES = '# kept by the administrator\n[GENERAL]\nslave_timeout = 45\n';

/**
 * A file that is replaced at one stroke, as `replaceFarmFile` does it.
 *
 * @param watch told before and after each change; what it throws ends the process that writes
 */
export function createDisk(
  clock: Clock,
  watch: { readonly before: () => void; readonly written: (urls: readonly string[]) => void },
): Disk {
  let text: string | undefined = FOREIGN_LINES;
  let trouble: 'full' | 'read-only' | 'unreadable' | 'hangs' | undefined;
  let answers = Promise.withResolvers<void>();
  let reload: 'fails' | 'is slow' | undefined;

  function read(): string {
    if (trouble === 'unreadable') throw failure('cannot read renderfarm.conf: EIO');
    return text ?? '';
  }

  /**
   * As long as the disk, or whoever writes for the balancer, does not answer. What hangs in it goes on before anything
   * that is asked of it later, even if the process that asked has been killed meanwhile.
   */
  async function awake(): Promise<void> {
    while (trouble === 'hangs') await answers.promise;
  }

  return {
    farm: {
      async read() {
        await clock.sleep(1);
        await awake();
        return listedIn(read());
      },
      async write(urls) {
        await clock.sleep(2);
        await awake();
        const before = read();
        if (!isListed(before, urls)) {
          if (trouble !== undefined) throw failure(`cannot write renderfarm.conf: the disk is ${trouble}`);
          watch.before();
          text = withList(text, urls);
        }
        watch.written(urls);
        await clock.sleep(2);
      },
      async reload() {
        await awake();
        await clock.sleep(reload === 'is slow' ? 45 * SECOND : 150);
        if (reload === 'fails') throw failure('apachectl graceful: exit status 1');
        return 'Apache was restarted gracefully';
      },
    },
    text: () => text,
    edit(next) {
      text = next;
    },
    fail(how) {
      trouble = how;
      if (how === 'hangs') return;
      answers.resolve();
      answers = Promise.withResolvers();
    },
    reloads(how) {
      reload = how;
    },
    trouble: () => trouble,
  };
}
