import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A directory of this test's own. Call `remove` at the end. */
export function createDirectory() {
  const directory = mkdtempSync(path.join(tmpdir(), 'replay-'));
  return {
    path: directory,
    /** Writes a file and says where. */
    file(name: string, content: string | Uint8Array): string {
      const place = path.join(directory, name);
      writeFileSync(place, content);
      return place;
    },
    remove: () => rmSync(directory, { recursive: true }),
  };
}

/** A line of an access log at a moment (ms since 1970). */
export function logLine(at: number, request = 'GET /gb2/gbrowse/yeast/ HTTP/1.1'): string {
  const date = new Date(at);
  const month = date.toLocaleString('en-US', { month: 'short', timeZone: 'UTC' });
  const day = String(date.getUTCDate()).padStart(2, '0');
  return `10.0.0.5 - - [${day}/${month}/${date.getUTCFullYear()}:${date.toISOString().slice(11, 19)} +0000] "${request}" 200 4096\n`;
}
