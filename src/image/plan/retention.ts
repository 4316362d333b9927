/** An image that the command `image` has made. */
export type OwnImage = {
  readonly imageId: string;
  readonly name: string;
  /** Wall clock ms. */
  readonly madeAt: number;
  /** It can be launched. */
  readonly isComplete: boolean;
  readonly snapshots: readonly string[];
};

/**
 * The images that are not kept any more: all complete ones but the newest `keep`. One that a configuration names is never
 * among them, and one that is being made is nobody's yet.
 *
 * @param named the images that configurations name, by id or by name
 */
export function outdatedImages(
  images: readonly OwnImage[],
  keep: number,
  named: ReadonlySet<string>,
): readonly OwnImage[] {
  return images
    .filter(it => it.isComplete)
    .toSorted((a, b) => b.madeAt - a.madeAt)
    .slice(keep)
    .filter(it => !named.has(it.imageId) && ![...named].some(part => part !== '' && it.name.includes(part)));
}
