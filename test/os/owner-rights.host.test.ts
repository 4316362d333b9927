import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { after, before, beforeEach, describe, test } from 'node:test';
import { claimPidfile } from '../../src/daemon/pidfile.ts';
import { isUserError } from '../../src/errors.ts';
import { ownerFor, removeFileAs, replaceFileAs } from '../../src/os/owner-rights.ts';
import { writePage } from '../../src/simulate/command.ts';
import { createMetricsFile } from '../../src/status/metrics-file.ts';
import { notAlone } from '../peers/own-namespaces.ts';

const BOB = 4001;
const HOME = '/srv/bob';
const ROOTS = '/srv/roots';

/** What root may be told to write anywhere, each with how it is written. */
const OUTPUTS: readonly (readonly [string, (file: string, said: string[]) => Promise<unknown>])[] = [
  ['a pidfile', file => claimPidfile(file)],
  ['the page of a simulation', file => writePage(file, '<html>')],
  [
    'a metrics file',
    async (file, said) => {
      const log = { error: say, warn: say, info: say, debug: say };
      function say(message: string): void {
        said.push(message);
      }
      await createMetricsFile(file, log).write(() => Promise.resolve('# metrics\n'));
      if (said.length > 0) throw new Error(said.join());
    },
  ],
];

describe('what root writes where another user may have put anything', { skip: notAlone }, () => {
  before(() => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', '/srv']);
  });
  after(() => {
    execFileSync('umount', ['--lazy', '/srv']);
  });
  beforeEach(() => {
    execFileSync('find', ['/srv', '-mindepth', '1', '-delete']);
    mkdirSync(ROOTS);
    mkdirSync(HOME);
    chownSync(HOME, BOB, BOB);
  });

  for (const [what, write] of OUTPUTS) {
    test(`${what} is that user's, in his directory`, async () => {
      await write(`${HOME}/out.prom`, []);
      const { uid, mode } = statSync(`${HOME}/out.prom`);
      assert.deepEqual([uid, mode & 0o777], [BOB, 0o644]);
      assert.deepEqual(readdirSync(HOME), ['out.prom']);
    });

    test(`${what} is not written where a link of that user leads, if he may not write there`, async () => {
      symlinkSync(ROOTS, `${HOME}/run`);
      writeFileSync(`${ROOTS}/out.prom`, 'of root');
      await assert.rejects(write(`${HOME}/run/out.prom`, []), /Permission denied/);
      assert.equal(readFileSync(`${ROOTS}/out.prom`, 'utf8'), 'of root');
      assert.deepEqual(readdirSync(ROOTS), ['out.prom']);
    });

    test(`${what} is not written where several users may write`, async () => {
      mkdirSync('/srv/shared');
      chmodSync('/srv/shared', 0o775);
      await assert.rejects(
        write('/srv/shared/out.prom', []),
        /users other than root can change \/srv\/shared/,
      );
      assert.deepEqual(readdirSync('/srv/shared'), []);
    });

    test(`${what} replaces what somebody has planted in a directory such as /tmp`, async () => {
      mkdirSync('/srv/tmp');
      chmodSync('/srv/tmp', 0o1777);
      writeFileSync(`${ROOTS}/target`, 'of root');
      symlinkSync(`${ROOTS}/target`, '/srv/tmp/out.prom');
      lchownSync('/srv/tmp/out.prom', BOB, BOB);
      await write('/srv/tmp/out.prom', []);
      assert.equal(statSync('/srv/tmp/out.prom').uid, 0);
      assert.equal(readFileSync(`${ROOTS}/target`, 'utf8'), 'of root');
    });
  }

  test('a pidfile in that user’s directory is removed; another file that he puts there is not', async () => {
    const pidfile = await claimPidfile(`${HOME}/a.pid`);
    await pidfile.remove();
    assert.deepEqual(readdirSync(HOME), []);
    const second = await claimPidfile(`${HOME}/run.pid`);
    execFileSync('mv', [`${HOME}/run.pid`, `${HOME}/moved`]);
    symlinkSync(ROOTS, `${HOME}/run`);
    writeFileSync(`${ROOTS}/run.pid`, `${process.pid}\n`);
    execFileSync('ln', ['-s', `${ROOTS}/run.pid`, `${HOME}/run.pid`]);
    await second.remove();
    assert.equal(readFileSync(`${ROOTS}/run.pid`, 'utf8'), `${process.pid}\n`);
  });

  test('a directory that is swapped for a link all the time never leads root elsewhere', async () => {
    mkdirSync(`${HOME}/real`);
    chownSync(`${HOME}/real`, BOB, BOB);
    symlinkSync(ROOTS, `${HOME}/link`);
    symlinkSync('real', `${HOME}/run`);
    for (let times = 0; times < 20; times++) {
      const owner = await ownerFor(`${HOME}/run/a.pid`);
      // The moment between the check and the use.
      execFileSync('ln', ['-sfn', times % 2 === 0 ? ROOTS : 'real', `${HOME}/run`]);
      await replaceFileAs(owner, `${HOME}/run/a.pid`, '1\n').catch((error: unknown) =>
        assert.ok(isUserError(error)),
      );
      if (owner !== undefined) await removeFileAs(owner, `${HOME}/run/a.pid`, '1').catch(() => {});
    }
    assert.deepEqual(readdirSync(ROOTS), []);
    assert.ok(!existsSync(`${HOME}/real/a.pid`));
  });
});
