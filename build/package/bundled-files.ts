import path from 'node:path';
import { build } from 'esbuild';
import { textAssets } from '../bundle.ts';

/**
 * The files that the executable's program is made of, relative to the project's directory: by a bundle of its own, in
 * which nothing is left to be loaded later, so that none can be missing.
 */
export async function bundledFiles(root: string): Promise<readonly string[]> {
  const { metafile } = await build({
    entryPoints: ['src/main.ts'],
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'cjs',
    mainFields: ['module', 'main'],
    logLevel: 'warning',
    plugins: [textAssets],
    // As build/bundle.ts: its build for Node is not used.
    alias: { ofetch: path.join(root, 'node_modules/ofetch/dist/index.mjs') },
  });
  return Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : [])),
  );
}
