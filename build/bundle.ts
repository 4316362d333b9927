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

const ROOT = path.resolve(import.meta.dirname, '..');
/** What the program uses of the SDK: two thirds of the code, and nothing that `--version` or a slave's probe needs. */
const SDK = path.join(ROOT, 'src/ec2/commands.ts');
const SDK_NAME = 'bundle:sdk';

/** Leaves the SDK out of the program's bundle, to be loaded where it is first imported. */
const sdkApart: Plugin = {
  name: 'sdk-apart',
  setup(builder) {
    builder.onResolve({ filter: /\/commands\.ts$/ }, ({ path: name, resolveDir, kind }) =>
      kind !== 'entry-point' && path.resolve(resolveDir, name) === SDK
        ? { path: SDK_NAME, external: true }
        : undefined,
    );
  },
};

/**
 * Bundles the program into one CommonJS file, the form that a single executable takes: two functions, the program, and
 * the SDK, which is run when it is first asked for. Within the program esbuild runs a module that is imported with
 * `import('…')` when that is first done. The parentheses around each function make V8 compile it when the code cache is
 * made, so that it is not parsed when the program runs, which would cost time and megabytes.
 */
export async function bundle(entry: string, outfile: string, version: string): Promise<void> {
  const [program, sdk] = await Promise.all([bundleOne(entry, version), bundleOne(SDK, version)]);
  await writeFile(
    outfile,
    `(function(nodeRequire){"use strict";let sdk;
function require(name){if(name!=="${SDK_NAME}")return nodeRequire(name);
if(!sdk){const module={exports:{}};loadSdk(module,module.exports,nodeRequire);sdk=module.exports}return sdk}
const loadSdk=(function(module,exports,require){${sdk}\n});
(function(module,exports,require){${program}\n})({exports:{}},{},require)})(require);\n`,
  );
}

async function bundleOne(file: string, version: string): Promise<string> {
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
    plugins: [nativeFetch, sdkApart, pureSchemas, textAssets],
  });
  return outputFiles[0]?.text ?? '';
}
