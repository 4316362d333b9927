import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build, type Plugin } from 'esbuild';

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
 * `src/simulate/page/assets.ts` reads files of npm packages when it runs from its source; in a bundle their text takes the
 * place of each reading.
 */
export const textAssets: Plugin = {
  name: 'text-assets',
  setup(builder) {
    builder.onLoad({ filter: /[\\/]src[\\/]simulate[\\/]page[\\/]assets\.ts$/ }, async ({ path: file }) => {
      const source = await readFile(file, 'utf8');
      const assets = [...source.matchAll(/^export const (\w+) = readText\('([^']+)'\);$/gm)];
      const lines = assets.map(
        ([, name, specifier]) =>
          `export { default as ${name} } from ${JSON.stringify(specifier)} with { type: 'text' };`,
      );
      return { loader: 'ts', contents: lines.join('\n') };
    });
  },
};

/**
 * `import('…')` in our own sources asks for a bundle of its own: esbuild drops what a static import does not name, but
 * keeps the whole of whatever is imported dynamically. (The SDK's own dynamic imports share code, and stay inside.)
 */
function lazyImports(found: Set<string>): Plugin {
  return {
    name: 'lazy-imports',
    setup(builder) {
      builder.onResolve({ filter: /./ }, async ({ kind, path: name, resolveDir, importer }) => {
        const ours = !importer.includes('node_modules');
        if (kind !== 'dynamic-import' || !ours || name.startsWith('node:')) return undefined;
        const { path: file, errors } = await builder.resolve(name, {
          kind: 'import-statement',
          resolveDir,
          importer,
        });
        if (errors.length > 0) return { errors };
        found.add(file);
        return { path: nameOf(file), external: true };
      });
    },
  };
}

const ROOT = path.resolve(import.meta.dirname, '..');

/** What a bundle is called in the program; the same wherever the project lies. */
function nameOf(file: string): string {
  return `bundle:${path.relative(ROOT, file)}`;
}

/**
 * Bundles the program into one CommonJS file, the form that a single executable takes: one function a bundle, run when it
 * is first asked for. The parentheses around each function make V8 compile it when the code cache is made, so that it is
 * not parsed when the program runs, which would cost time and megabytes.
 */
export async function bundle(entry: string, outfile: string, version: string): Promise<void> {
  const wanted = new Set([entry]);
  const functions: string[] = [];
  // The set grows while it is walked.
  for (const file of wanted) {
    const text = await bundleOne(file, version, wanted);
    functions.push(`${JSON.stringify(nameOf(file))}:(function(module,exports,require){${text}\n})`);
  }
  await writeFile(
    outfile,
    `(function(nodeRequire){"use strict";const bundles={${functions.join(',\n')}};const loaded={};
function require(name){const make=bundles[name];if(!make)return nodeRequire(name);let module=loaded[name];
if(!module){module=loaded[name]={exports:{}};make(module,module.exports,require)}return module.exports}
require(${JSON.stringify(nameOf(entry))})})(require);\n`,
  );
}

async function bundleOne(file: string, version: string, found: Set<string>): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [file],
    write: false,
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
    plugins: [nativeFetch, lazyImports(found), pureSchemas, textAssets],
  });
  return outputFiles[0]?.text ?? '';
}
