import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type OwnImage, outdatedImages } from '../../../src/image/plan/retention.ts';

const image = (number: number, more: Partial<OwnImage> = {}): OwnImage => ({
  imageId: `ami-${number}`,
  name: `GBrowse slave of web1 ${number}`,
  madeAt: number,
  isComplete: true,
  snapshots: [],
  ...more,
});
const ids = (images: readonly OwnImage[]) => images.map(it => it.imageId);

describe('old images', () => {
  const three = [image(1), image(3), image(2)];

  test('are all but the newest', () => {
    assert.deepEqual(ids(outdatedImages(three, 2, new Set())), ['ami-1']);
  });

  test('are never those that a configuration names, by id or by name', () => {
    assert.deepEqual(ids(outdatedImages(three, 1, new Set(['ami-1', '']))), ['ami-2']);
    assert.deepEqual(ids(outdatedImages(three, 1, new Set(['web1 2']))), ['ami-1']);
  });

  test('are none that is being made', () => {
    assert.deepEqual(outdatedImages([image(1, { isComplete: false }), image(2)], 1, new Set()), []);
  });

  test('leave as many as are kept, and whatever is named', () => {
    const many = fc.array(
      fc.integer({ min: 1, max: 99 }).map(it => image(it)),
      { maxLength: 9 },
    );
    fc.assert(
      fc.property(many, fc.integer({ min: 1, max: 5 }), fc.nat(99), (images, keep, named) => {
        const gone = outdatedImages(images, keep, new Set([`ami-${named}`]));
        assert.ok(images.length - gone.length >= Math.min(keep, images.length));
        assert.ok(gone.every(it => it.imageId !== `ami-${named}`));
      }),
    );
  });
});
