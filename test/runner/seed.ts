/**
 * Loaded before every test file: gives fast-check's properties the seed of the run. fast-check takes a seed for all
 * properties only by a call in the same module instance, so the call is put at the end of its source when it is loaded.
 */
import { registerHooks } from 'node:module';

const seed = Number(process.env.TEST_SEED);
if (Number.isSafeInteger(seed)) {
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (!url.endsWith('/fast-check/lib/fast-check.js')) return loaded;
      return { ...loaded, source: `${String(loaded.source)}\nconfigureGlobal({ seed: ${seed} });\n` };
    },
  });
}
