import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';

const LAZY = '.lazy.cjs';

/**
 * The SDK describes every shape of EC2 in arrays with side effects as far as esbuild can tell, 555 kB of them. Marked as
 * pure, those that no command uses are left out.
 */
const pureSchemas: Plugin = {
  name: 'pure-schemas',
  setup(builder) {
    builder.onLoad({ filter: /[\\/]schemas[\\/]schemas_\d+\.js$/ }, async ({ path: file }) => ({
      loader: 'js',
      contents: (await readFile(file, 'utf8')).replace(
        /^((?:export )?var \w+\$?) = (\[.*\];|\[.*$(?:\n(?!\];$).*)*\n\];)$/gm,
        (_, declaration: string, value: string) =>
          `${declaration} = /* @__PURE__ */ (() => (${value.slice(0, -1)}))();`,
      ),
    }));
  },
};

/** ofetch's build for Node brings a fetch of its own (110 kB); Node has one. */
const nativeFetch: Plugin = {
  name: 'native-fetch',
  setup(builder) {
    builder.onResolve({ filter: /^ofetch$/ }, () => ({
      path: path.resolve(import.meta.dirname, '../node_modules/ofetch/dist/index.mjs'),
    }));
  },
};

/**
 * `import('…')` becomes a bundle of its own inside the bundle, evaluated on first use: esbuild drops what a static import
 * does not name, but keeps the whole of whatever is imported dynamically. Only for our own imports: the SDK's share code.
 */
function lazy(settings: BuildOptions): Plugin {
  return {
    name: 'lazy',
    setup(builder) {
      builder.onResolve({ filter: /./ }, async ({ kind, path: name, resolveDir, importer }) => {
        const ours = !importer.includes('node_modules');
        if (kind !== 'dynamic-import' || !ours || name.startsWith('node:')) return undefined;
        const { path: file, errors } = await builder.resolve(name, {
          kind: 'import-statement',
          resolveDir,
          importer,
        });
        // The ending makes esbuild take the inner bundle for CommonJS, which it is.
        return errors.length > 0 ? { errors } : { path: `${file}${LAZY}`, namespace: 'lazy' };
      });
      builder.onLoad({ filter: /./, namespace: 'lazy' }, async ({ path: name }) => {
        const file = name.slice(0, -LAZY.length);
        const inner = await build({ ...settings, entryPoints: [file], write: false });
        return { loader: 'js', resolveDir: path.dirname(file), contents: inner.outputFiles?.[0]?.text ?? '' };
      });
    },
  };
}

/** Bundles the program into one CommonJS file, the form that a single executable takes. */
export async function bundle(entry: string, outfile: string, version: string): Promise<void> {
  const settings: BuildOptions = {
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
    // client-ec2's "main" is CommonJS, of which nothing can be left out.
    mainFields: ['module', 'main'],
    supported: { 'dynamic-import': false },
    define: { 'process.env.PROGRAM_VERSION': JSON.stringify(version) },
    plugins: [nativeFetch, pureSchemas],
  };
  settings.plugins = [nativeFetch, lazy(settings), pureSchemas];
  await build({ ...settings, entryPoints: [entry], outfile });
}
