import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { pipeline, Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { failure, messageOf, systemCode } from '../errors.ts';

const PIECE = 1024 * 1024;

/** A kind of compression, recognised by the first bytes. */
type Packing = {
  readonly name: string;
  readonly magic: readonly number[];
  /** The command that unpacks, with the package that has it on Debian; unset where Node does. */
  readonly command?: readonly string[];
  readonly package?: string;
};

const PACKINGS: readonly Packing[] = [
  { name: 'gzip', magic: [0x1f, 0x8b] },
  { name: 'zstd', magic: [0x28, 0xb5, 0x2f, 0xfd] },
  { name: 'compress', magic: [0x1f, 0x9d], command: ['gzip', '-dc'], package: 'gzip' },
  { name: 'xz', magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], command: ['xz', '-dc'], package: 'xz-utils' },
  { name: 'bzip2', magic: [0x42, 0x5a, 0x68], command: ['bzip2', '-dc'], package: 'bzip2' },
  // `funzip` gives the first file only, and knows no other way; bsdtar reads zip from a pipe.
  { name: 'zip', magic: [0x50, 0x4b, 0x03, 0x04], command: ['unzip', '-p'], package: 'unzip' },
  { name: 'lz4', magic: [0x04, 0x22, 0x4d, 0x18], command: ['lz4', '-dc'], package: 'lz4' },
];

export function packingOf(first: Uint8Array): Packing | undefined {
  return PACKINGS.find(({ magic }) => magic.every((byte, at) => first[at] === byte));
}

/**
 * The unpacked data, piece by piece. A command of the system unpacks what Node cannot.
 *
 * @param file for messages, and for `unzip`, which wants a file: it finds its contents from the end
 * @throws {UserError} when the data are damaged, or the command is not there
 */
export async function* unpacked(
  { name, command, package: debian }: Packing,
  file: string,
  packed: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  try {
    if (command === undefined) {
      const unpack =
        name === 'gzip' ? createGunzip({ chunkSize: PIECE }) : createZstdDecompress({ chunkSize: PIECE });
      // The reader of the stream gets the errors of both; the callback only keeps the source's from being unhandled.
      yield* pipeline(packed, unpack, () => {});
      return;
    }
    if (name === 'zip' && file === '-')
      throw failure(
        '-: is a zip archive, which cannot be read from a pipe: give its file, or what "unzip -p FILE" prints',
      );
    yield* through(name === 'zip' ? [...command, file] : command, name, file, packed);
  } catch (error) {
    throw unpackError(error, { name, command, package: debian }, file);
  }
}

async function* through(
  [program = '', ...args]: readonly string[],
  name: string,
  file: string,
  packed: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  ended.catch(() => {});
  let said = '';
  child.stderr.on('data', (text: Buffer) => {
    said = (said + text.toString()).slice(0, 500);
  });
  if (name === 'zip') child.stdin.end();
  else pipeline(Readable.from(packed), child.stdin, () => {});
  try {
    for await (const piece of child.stdout) yield Buffer.isBuffer(piece) ? piece : Buffer.from(piece);
    const [status] = await ended;
    if (status !== 0) throw failure(`${file}: its ${name} data are damaged or cut off (${said.trim()})`);
  } finally {
    child.kill();
  }
}

function unpackError(
  error: unknown,
  {
    name,
    command,
    package: debian,
  }: { name: string; command: readonly string[] | undefined; package: string | undefined },
  file: string,
): unknown {
  const code = systemCode(error);
  if (code === 'ENOENT' && command !== undefined)
    return failure(
      `${file}: is packed with ${name}, and there is no "${command[0]}" to unpack it: install it (Debian: apt-get install ${debian}), or unpack the file first: ${command.join(' ')} ${file} > access.log`,
      { cause: error },
    );
  if (code === 'Z_BUF_ERROR' || code === 'ZSTD_error_srcSize_wrong')
    return failure(`${file}: its ${name} data end too early; is it still being written, or was it cut off?`, {
      cause: error,
    });
  if (code !== undefined && /^(Z_DATA_ERROR|ZSTD_|ERR_ZSTD)/.test(code))
    return failure(`${file}: its ${name} data are damaged (${messageOf(error)})`, { cause: error });
  return error;
}
