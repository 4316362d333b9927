import { CONFIG_FILES } from '../config/locate.ts';
import { messageOf } from '../errors.ts';
import { type Present, presentIn, updateConfigFile } from '../staging/conf-file.ts';
import { readSmall } from '../staging/read-small.ts';
import type { Tools } from '../staging/tools.ts';
import { findOwnImages, removeImage } from './images.ts';
import type { ImageOrder } from './order.ts';
import { outdatedImages } from './plan/retention.ts';

/**
 * Writes the image into the configuration, and removes old ones that no configuration names. What cannot be removed now is
 * a warning, and the next run tries again.
 *
 * @throws {UserError} when the file cannot be written, or has changed since `before`
 */
export async function conclude(
  { config, site, keep }: Pick<ImageOrder, 'config' | 'site' | 'keep'>,
  before: Present,
  imageId: string,
  { ec2, clock, report, phases }: Pick<Tools, 'ec2' | 'clock' | 'report' | 'phases'>,
): Promise<void> {
  report.say(`the image is ${imageId}`);
  const backup = await updateConfigFile(config.file, before, { imageId });
  report.say(`updated conf file, previous version in ${backup}`);
  report.say('A running balancer notices this, and replaces slaves of another image one after another.');
  await phases.time('old images', async () => {
    try {
      const named = await imagesNamedIn([config.file, backup, ...CONFIG_FILES]);
      for (const image of outdatedImages(await findOwnImages(ec2, site.name), keep, named)) {
        await removeImage(ec2, image, clock);
        report.say(`removed old image ${image.imageId} (--keep ${keep})`);
      }
    } catch (error) {
      report.warn(`old images could not be removed: ${messageOf(error)}; the next image tries again`);
    }
  });
}

/** Bytes. */
const MOST_CONFIGURATION = 1024 ** 2;

/** The images that configuration files name; a file that cannot be read names none. */
async function imagesNamedIn(files: readonly string[]): Promise<ReadonlySet<string>> {
  const named = new Set<string>();
  for (const file of new Set(files)) {
    const text = (await readSmall(file, MOST_CONFIGURATION, 'followed')) ?? '';
    const { image_id } = presentIn(text);
    if (image_id !== '') named.add(image_id);
  }
  return named;
}
