import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { readConfigFile } from '../../src/config/read.ts';
import { isUserError } from '../../src/errors.ts';

const directory = mkdtempSync(join(tmpdir(), 'balancer-read-'));
after(() => rmSync(directory, { recursive: true }));
chmodSync(directory, 0o755);

function fileWith(name: string, content: string | Uint8Array): string {
  const file = join(directory, name);
  writeFileSync(file, content);
  return file;
}

async function refusal(file: string): Promise<string> {
  try {
    await readConfigFile(file);
  } catch (error) {
    assert.ok(isUserError(error), String(error));
    assert.equal(error.exitStatus, 2);
    return error.message.replace(file, 'F');
  }
  throw new Error(`${file} was accepted`);
}

describe('reading the configuration file', () => {
  it('gives the text, and from it the same bytes again', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), async text => {
        const printable = `\uFEFF${text.replaceAll(/\p{Cc}/gu, '\r\n\t')}`;
        const read = await readConfigFile(fileWith('text.conf', printable));
        assert.deepEqual(read, { text: printable, encoding: 'utf8' });
      }),
      { numRuns: 50 },
    );
  });

  it('lets Latin-1 be in comments, and gives the same bytes again', async () => {
    const bytes = Buffer.from(
      '# f\xFCr Z\xFCrich\r\n[SLAVE] # gr\xFC\xDFe\nports = 8101 # \x80\x9F\n',
      'latin1',
    );
    const { text, encoding } = await readConfigFile(fileWith('latin1.conf', bytes));
    assert.equal(encoding, 'latin1');
    assert.deepEqual(Buffer.from(text, encoding), bytes);
  });

  it('reads a file of exactly 1 MiB, and one whose size the system does not know', async () => {
    const { text } = await readConfigFile(fileWith('full.conf', '#'.repeat(1024 * 1024)));
    assert.equal(text.length, 1024 * 1024);
    assert.match((await readConfigFile('/proc/self/status')).text, /^Name:/);
  });

  it('says what is wrong with a file that it refuses', async test => {
    mkdirSync(join(directory, 'directory'));
    execFileSync('mkfifo', [join(directory, 'fifo')]);
    truncateSync(fileWith('huge.conf', ''), 100 * 1024 * 1024);
    const server = createServer().listen(join(directory, 'socket'));
    test.after(() => server.close());
    const refused: [file: string, message: string][] = [
      ['missing.conf', 'F: there is no such file'],
      ['directory', 'F: is a directory, expected a file'],
      ['fifo', 'F: is a pipe, expected a file'],
      ['socket', 'F: is a socket, expected a file'],
      ['/dev/zero', 'F: is a device, expected a file'],
      ['huge.conf', 'F: is larger than 1 MiB, expected a balancer configuration'],
    ];
    for (const [file, message] of refused) {
      assert.equal(await refusal(file.startsWith('/') ? file : join(directory, file)), message);
    }
    assert.match(await refusal(fileWith('file', '').concat('/x')), /^F: cannot be read: ENOTDIR/);
  });

  const contents: [what: string, bytes: Buffer, message: string][] = [
    [
      'a NUL byte',
      Buffer.from('ports = 1\0'),
      'F: not a text file (byte 0x00 at offset 9), expected UTF-8 text',
    ],
    [
      'a program',
      Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]),
      'F: not a text file (byte 0x02 at offset 4), expected UTF-8 text',
    ],
    [
      'UTF-16',
      Buffer.from('\uFEFF[SLAVE]', 'utf16le'),
      'F: not a text file (byte 0x00 at offset 3), expected UTF-8 text',
    ],
    [
      'Latin-1 in a value',
      Buffer.from('# f\xFCr\r\nname = Z\xFCrich # f\xFCr\n', 'latin1'),
      'F:2: not UTF-8, expected UTF-8 text (comments may be Latin-1)',
    ],
  ];
  for (const [what, bytes, message] of contents) {
    it(`refuses ${what}`, async () => {
      assert.equal(await refusal(fileWith('bad.conf', bytes)), message);
    });
  }

  it('says so when this user may not read it', async () => {
    const file = fileWith('secret.conf', '');
    chmodSync(file, 0);
    // Root may read everything, so it does as nobody would.
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(65_534);
    try {
      assert.equal(await refusal(file), 'F: this user may not read it (permission denied)');
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });
});
