/**
 * As `enter.ts` of the cloud in a box; before that, while there is a network, the image of virtual machines is made and kept
 * in `dist`.
 */
import { cloudMissing, INSIDE } from '../cloud/requirements.ts';
import { rootsMissing } from '../packaging/fixtures/roots.ts';
import { makeMachineImage } from './image.ts';

if (process.env[INSIDE] === undefined && cloudMissing() === false && rootsMissing() === false) {
  // Where it cannot be made, the tests say why they are skipped.
  await makeMachineImage().catch((error: unknown) => process.stderr.write(`${String(error)}\n`));
}
await import('../cloud/enter.ts');
