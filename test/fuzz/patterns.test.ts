import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { createContext, Script } from 'node:vm';

const SRC = path.resolve(import.meta.dirname, '../../src');

/** A literal after something that no division can follow, with a quantifier without an end in it. */
const LITERAL =
  /(?<=[=(,:?&|!\s[]|^)\/((?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\s*[])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])*)\/([dgimsuvy]*)(?=[\s,;.)\]]|$)/g;

type Pattern = { readonly place: string; readonly pattern: RegExp };

function patternsOf(file: string): Pattern[] {
  const lines = readFileSync(path.join(SRC, file), 'utf8').split('\n');
  return lines.flatMap((line, index) => {
    if (/^\s*(\*|\/\*|\/\/)/.test(line)) return [];
    return [...line.matchAll(LITERAL)].flatMap(([, source = '', flags]) => {
      if (!/[*+]|\{\d+,\}/.test(source)) return [];
      return [{ place: `${file}:${index + 1}`, pattern: new RegExp(source, flags) }];
    });
  });
}

const FILES = globSync('**/*.ts', { cwd: SRC }).toSorted();

/**
 * What makes the program put its patterns together, by file, where importing the file is not enough. For each new
 * `new RegExp(…)` inside a function, add here how it is made.
 */
const MAKING: Readonly<Record<string, () => unknown>> = {
  'gbrowse/apache.ts': async () => await (await import('../../src/gbrowse/apache.ts')).namedByApache([]),
  'image/survey/distribution.ts': async () =>
    (await import('../../src/image/survey/distribution.ts')).distributionOf('ID=debian\n'),
  'os/process.ts': async () => (await import('../../src/os/process.ts')).realIdsOf(process.pid),
  'setup/service-file.ts': async () =>
    (await import('../../src/setup/service-file.ts')).withServiceValues('', { plain: { USER: 'www-data' } }),
};
/** Its pattern is the administrator's own (`load_match`). */
const OF_THE_USER = 'config/values.ts';

/** The patterns that the program puts together with `new RegExp(…)`, taken where they are made. */
async function constructedPatterns(): Promise<Pattern[]> {
  const found = new Map<string, Pattern>();
  const original = globalThis.RegExp;
  globalThis.RegExp = new Proxy(original, {
    construct(target, given: ConstructorParameters<typeof RegExp>) {
      const pattern = new target(...given);
      const place = /\/src\/(.*\.ts:\d+)/.exec(new Error('here').stack ?? '')?.[1];
      if (place !== undefined) found.set(`${place} ${pattern}`, { place, pattern });
      return pattern;
    },
  });
  try {
    for (const file of FILES) {
      const count = readFileSync(path.join(SRC, file), 'utf8').split('new RegExp(').length - 1;
      if (count === 0 || file === OF_THE_USER) continue;
      await import(path.join(SRC, file));
      await MAKING[file]?.();
      const places = new Set([...found.values()].map(it => it.place).filter(it => it.startsWith(`${file}:`)));
      assert.equal(places.size, count, `${file}: say in MAKING how its other patterns are made`);
    }
  } finally {
    globalThis.RegExp = original;
  }
  return [...found.values()];
}

const PATTERNS = [...FILES.flatMap(patternsOf), ...(await constructedPatterns())];

/** What is repeated: each character that patterns are made of, and what single patterns begin with. */
const CHARACTERS = [...' \t\nxZ1"\'\\/-_:=#[({<>|.@*&,;~'];
const UNITS = [
  ...CHARACTERS,
  'x ',
  ' x',
  '1.',
  'x-',
  'x\n',
  '\\"',
  '://',
  '| ',
  '# ',
  '= ',
  'TOKEN',
  ' Include ',
  ' ServerRoot x',
];
const SIZE = 150_000;

/** Texts that make a pattern which tries the same run from many places take the square of their length. */
function* attacks(): Generator<string> {
  for (const unit of UNITS) {
    const run = unit.repeat(SIZE / unit.length);
    for (const [before, after] of [
      ['', ''],
      ['', '!'],
      ['x', '!'],
      ['x: ', '\n!'],
      ['x=', ' !'],
      ['"', '!'],
    ] as const) {
      yield `${before}${run}${after}`;
    }
  }
}

/** A linear pattern takes milliseconds for such a text, another one takes half a minute and more. */
const LIMIT = 4_000;

test('no pattern of the program takes more than linear time', { timeout: 900_000 }, () => {
  assert.ok(PATTERNS.length > 80, `${PATTERNS.length} patterns were found`);
  const slow: string[] = [];
  const texts = [...attacks()];
  // A pattern in a context of its own can be stopped.
  const context: { pattern: RegExp; text: string } = { pattern: /x/, text: '' };
  createContext(context);
  const runs = { all: new Script('text.replaceAll(pattern, "")'), one: new Script('pattern.exec(text)') };
  for (const { place, pattern } of PATTERNS) {
    context.pattern = pattern;
    const text = texts.find(it => {
      context.text = it;
      pattern.lastIndex = 0;
      try {
        runs[pattern.global ? 'all' : 'one'].runInContext(context, { timeout: LIMIT });
        return false;
      } catch (error) {
        assert.match(String(error), /timed out/);
        return true;
      }
    });
    if (text !== undefined) slow.push(`${place} ${pattern}: ${JSON.stringify(text.slice(0, 12))}…`);
  }
  assert.deepEqual(slow, []);
});
