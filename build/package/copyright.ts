import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { NODE_VERSION } from '../node.mjs';

type Manifest = {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly author?: string | { readonly name?: string };
  readonly homepage?: string;
};

/** A package whose code is inside the executable. */
type Part = { readonly directory: string; readonly manifest: Manifest; readonly text: string };

/** Debian has their texts in /usr/share/common-licenses, and wants them named, not repeated. */
const COMMON: Readonly<Record<string, string>> = {
  'Apache-2.0':
    'Licensed under the Apache License, Version 2.0. On Debian systems its text is in\n/usr/share/common-licenses/Apache-2.0.',
};

const FORMAT = 'https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/';

/**
 * The copyright file (DEP-5) of the package: the program's own licence, those of the npm packages that the bundler put
 * into it, and that of Node.js with all its parts.
 *
 * @param root the project's directory
 * @param files the files in the bundle, relative to it
 * @param node the npm package that Node's executable is from
 * @throws {Error} for a package without a known licence
 */
export async function copyrightFile(root: string, files: readonly string[], node: string): Promise<string> {
  const directories = new Set(
    files.flatMap(file => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []),
  );
  const parts = await Promise.all([...directories].sort().map(directory => readPart(root, directory)));
  const nodeText = await readFile(path.join(node, 'LICENSE'), 'utf8');
  const texts = new Map<string, string>(Object.entries(COMMON));
  const paragraphs = parts.map(part => paragraph(part, texts));
  return [
    `Format: ${FORMAT}\nUpstream-Name: gbrowse-aws-balancer\nComment:${indented('What is inside of /usr/bin/gbrowse-aws-balancer: the program itself, the npm packages\nthat it is bundled with, and Node.js, whose own LICENSE (below, whole) covers the\nlibraries that it is built from.')}`,
    'Files: *\nCopyright: the authors of gbrowse-aws-balancer\nLicense: Apache-2.0',
    ...paragraphs,
    `Files: nodejs/*\nCopyright: Node.js contributors; Joyent, Inc. and other Node contributors; and those named below\nComment: Node.js ${NODE_VERSION}\nLicense: Node.js`,
    ...[...texts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, text]) => `License: ${name}${indented(text)}`),
    `License: Node.js${indented(nodeText)}`,
  ]
    .join('\n\n')
    .concat('\n');
}

async function readPart(root: string, directory: string): Promise<Part> {
  const place = path.join(root, directory);
  const manifest = JSON.parse(await readFile(path.join(place, 'package.json'), 'utf8')) as Manifest;
  const names = (await readdir(place)).filter(name =>
    /^(licen[cs]e|notice|copying)(\.(md|txt))?$/i.test(name),
  );
  const texts = await Promise.all(names.sort().map(name => readFile(path.join(place, name), 'utf8')));
  return { directory, manifest, text: texts.join('\n').trim() };
}

/** Adds the licence's text to `texts`, under the name that the paragraph has for it. */
function paragraph({ directory, manifest, text }: Part, texts: Map<string, string>): string {
  const { name, version, license } = manifest;
  if (license === undefined || (text === '' && COMMON[license] === undefined)) {
    throw new Error(`${directory}: what is its licence? It has neither a text nor a well-known name`);
  }
  const known = COMMON[license] !== undefined;
  const key = known ? license : `${license}-${name.replaceAll(/[@/]/g, '-').replace(/^-/, '')}`;
  if (!known) texts.set(key, text);
  return `Files: ${directory}/*\nCopyright: ${holders(manifest, text)}\nComment: ${name} ${version}\nLicense: ${key}`;
}

function holders({ name, author }: Manifest, text: string): string {
  const lines = text
    .split('\n')
    .map(line => line.trim())
    .filter(line => /^copyright (\(c\)|©|\d{4}|[A-Z])/i.test(line) && !line.includes('[yyyy]'));
  const from = lines.map(line => line.replace(/^copyright\s*(\(c\)|©)?\s*/i, ''));
  if (from.length > 0) return [...new Set(from)].join('\n           ');
  const named = typeof author === 'string' ? author : author?.name;
  return named ?? `the authors of ${name}`;
}

/** The lines of a field that goes on: indented by a blank, an empty one is a dot. */
function indented(text: string): string {
  return text
    .trimEnd()
    .split(/\r?\n/)
    .map(line => `\n ${line.trimEnd() === '' ? '.' : line.trimEnd().replaceAll('\t', '        ')}`)
    .join('');
}
