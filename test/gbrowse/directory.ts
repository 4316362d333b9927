import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';

/** Files of a test's own, by their paths below its directory; `@DIR@` in a text stands for that. */
export function filesOf(t: TestContext, files: Readonly<Record<string, string>>): string {
  const directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'gbrowse-')));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(directory, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text.replaceAll('@DIR@', directory));
  }
  return directory;
}
