import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { systemClock } from '../../../src/clock.ts';
import { findProgram } from '../../../src/os/command.ts';
import { createPhases } from '../../../src/staging/phases.ts';
import { type Copying, type CopyTools, copyTree } from '../../../src/sync/copy/copy.ts';

const skip = findProgram('rsync') === undefined && 'rsync is not installed';

describe('a tree', { skip }, () => {
  let directory: string;
  let source: string;
  let copying: Copying;
  beforeEach(() => {
    directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'copy-')));
    source = path.join(directory, 'source');
    mkdirSync(source);
    writeFileSync(path.join(source, 'file'), 'contents');
    mkdirSync(path.join(directory, 'root'));
    copying = {
      tree: { kind: 'databases', source, paths: [source] },
      bytes: 8,
      root: path.join(directory, 'root'),
      place: 'databases',
      ...{ exclude: [], isFirst: true, hardLinks: false, holes: false, fineTimes: true },
    };
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  /** Tools whose ssh is this program; it gets the host and the command. */
  function toolsWith(script: string): CopyTools & { readonly connections: () => number } {
    const rsh = path.join(directory, 'rsh');
    writeFileSync(rsh, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    let connections = 0;
    return {
      ssh: {
        rsh,
        host: 'staging',
        asRoot: '',
        async connect() {
          connections += 1;
        },
        forward: () => assert.fail('nothing is forwarded'),
        script: () => assert.fail('not used'),
        async close() {},
      },
      versions: ['3.2.7', '3.2.7'],
      clock: systemClock,
      report: { say() {}, warn() {}, detail() {}, progress() {} },
      phases: createPhases(systemClock),
      signal: new AbortController().signal,
      patience: 1000,
      enlarge: () => assert.fail('there is room'),
      connections: () => connections,
    };
  }
  const HERE = 'shift; exec sh -c "$*"';

  test('is copied to its place', async () => {
    const { files, bytes } = await copyTree(toolsWith(HERE), copying);
    assert.deepEqual([files, bytes], [1, 8]);
    assert.equal(readFileSync(path.join(directory, 'root/databases/file'), 'utf8'), 'contents');
  });

  test('that somebody has exchanged for a link to another is not followed', async () => {
    const secret = path.join(directory, 'secret');
    mkdirSync(secret);
    writeFileSync(path.join(secret, 'key'), '');
    renameSync(source, `${source}.away`);
    symlinkSync(secret, source);
    await assert.rejects(
      copyTree(toolsWith(HERE), copying),
      /somebody has put another directory in its place \(.*secret\)/,
    );
    assert.deepEqual(readdirSync(path.join(directory, 'root')), []);
  });

  test('stays the one that was opened, when it is exchanged meanwhile', async () => {
    const secret = path.join(directory, 'secret');
    mkdirSync(secret);
    writeFileSync(path.join(secret, 'key'), '');
    const swap = `mv '${source}' '${source}.away' && ln -s '${secret}' '${source}'`;
    await copyTree(toolsWith(`${swap}\n${HERE}`), copying);
    assert.equal(existsSync(path.join(directory, 'root/databases/key')), false);
    assert.equal(existsSync(path.join(directory, 'root/databases/file')), true);
  });

  test('is given up when the connection breaks again and again and nothing was sent', async () => {
    const tools = toolsWith('echo broken >&2; exit 255');
    await assert.rejects(copyTree(tools, copying), /broke 5 times before anything was sent: .*broken/);
    assert.equal(tools.connections(), 4);
  });

  test('errors name the tree, not the way by which it is read', async () => {
    const tools = toolsWith(HERE);
    await assert.rejects(
      copyTree(tools, { ...copying, place: 'no/such/parent' }),
      error => error instanceof Error && error.message.includes(source) && !error.message.includes('/proc/'),
    );
  });
});
