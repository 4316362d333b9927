/**
 * As `enter.ts`; before that, while there is a network, the root of a slave's image is made and kept in `dist/roots`.
 */
import { debianRoot, rootsMissing } from '../packaging/fixtures/roots.ts';
import { cloudMissing, INSIDE } from './requirements.ts';

if (process.env[INSIDE] === undefined && cloudMissing() === false && rootsMissing() === false) {
  // Where it cannot be made, the tests say why they are skipped.
  await debianRoot('slave').catch(() => {});
}
await import('./enter.ts');
