import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SizedTree } from '../../../src/sync/plan/measure.ts';
import type { TreeKind } from '../../../src/sync/plan/trees.ts';
import { formatManifest, parseManifest } from '../../../src/sync/volumes/manifest.ts';
import { manifestScript, placeTrees, tidyScript } from '../../../src/sync/volumes/roots.ts';
import type { DataRoot } from '../../../src/sync/volumes/script.ts';

function tree(source: string, kind: TreeKind = 'databases'): SizedTree {
  return {
    tree: { kind, source, paths: [source] },
    size: {
      inodes: 1,
      bytes: 1,
      allocated: 4096,
      hardLinks: false,
      holes: false,
      leadingOut: [],
      leadingOutCount: 0,
      unreadable: [],
    },
  };
}

/** A data root that holds these places. */
function root(point: string, held: Readonly<Record<string, string>> = {}): DataRoot {
  const entries = Object.entries(held).map(([place, path]) => ({
    place,
    paths: [path],
    allocated: 1,
    inodes: 1,
    copied: '',
  }));
  return {
    kind: 'plain',
    point,
    volumes: [],
    ...{ size: 1, used: 0, inodes: 1, inodesUsed: 0, held: 0, heldInodes: 0 },
    manifest: entries.length === 0 ? '' : formatManifest(entries),
  };
}

describe('where trees go', () => {
  for (const [what, roots, trees, expected] of [
    [
      'each directory of databases has a place of its own',
      [root('/0')],
      [tree('/a'), tree('/b'), tree('/m', 'mysql')],
      ['/0 databases', '/0 databases-2', '/0 lib/mysql'],
    ],
    [
      'where it lies already, whatever the order',
      [root('/0', { databases: '/a', 'databases-2': '/b' })],
      [tree('/b'), tree('/c'), tree('/a')],
      ['/0 databases-2', '/0 databases-3', '/0 databases'],
    ],
    [
      'also on another volume',
      [root('/0', { databases: '/a' }), root('/1', { databases: '/b', 'lib/mysql': '/m' })],
      [tree('/b'), tree('/n', 'mysql'), tree('/a')],
      ['/1 databases', '/1 lib/mysql', '/0 databases'],
    ],
    [
      'a new one takes the place of one that is not wanted any more',
      [root('/0', { databases: '/old' })],
      [tree('/a')],
      ['/0 databases'],
    ],
  ] as const) {
    test(what, () => {
      const placed = placeTrees(trees, roots);
      assert.deepEqual(
        placed.map(it => `${it.root.point} ${it.place}`),
        expected,
      );
    });
  }

  test('one that is not wanted any more is removed, and the manifest does not name it; servers stay', () => {
    const old = root('/0', { databases: '/a', 'databases-2': '/b', 'lib/mysql': '/m' });
    const placed = placeTrees([tree('/a')], [old]);
    assert.equal(tidyScript(old, placed), 'rm -rf -- /0/databases-2\n');
    const encoded = manifestScript(old, placed, 'now').split('\n')[1] ?? '';
    const entries = parseManifest(Buffer.from(encoded, 'base64').toString());
    assert.deepEqual(
      entries.map(it => it.place),
      ['databases', 'lib/mysql'],
    );
  });
});
