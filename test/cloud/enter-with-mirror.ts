/**
 * As `enter.ts`; before that, while there is a network, a distribution's plain system, the packages that make a slave of
 * it, and the root of a system with GBrowse are made and kept in `dist/roots`.
 */
import { debianRoot, rootsMissing } from '../packaging/fixtures/roots.ts';
import { makeMirror } from './gbrowse/package-mirror.ts';
import { cloudMissing, INSIDE } from './requirements.ts';

if (process.env[INSIDE] === undefined && cloudMissing() === false && rootsMissing() === false) {
  // Where they cannot be made, the tests say why they are skipped.
  await debianRoot('plain')
    .then(makeMirror)
    .then(() => debianRoot('slave'))
    .catch((error: unknown) => process.stderr.write(`${String(error)}\n`));
}
await import('./enter.ts');
