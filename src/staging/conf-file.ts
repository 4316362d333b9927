import { realpath } from 'node:fs/promises';
import { findOption, formatDocument, parseDocument, setOption } from '../config/document.ts';
import { readConfigFile } from '../config/read.ts';
import { lookUpAccount } from '../daemon/privileges.ts';
import { failure, isUserError, messageOf } from '../errors.ts';
import { commandFailure, type Rights, runCommand } from '../os/command.ts';
import { strangerIn } from '../os/owner-rights.ts';

/** What `sync` or `image` writes into the configuration file: the values of these options of `[SLAVE]`. */
export type Outcome = { readonly dataSnapshots?: readonly string[]; readonly imageId?: string };

/** The two options as they stand in a file; a blank one is unset. */
export type Present = { readonly data_snapshots: string; readonly image_id: string };

const SECTION = 'SLAVE';

/** The options that a command may write, as a configuration file's text has them. */
export function presentIn(text: string): Present {
  const document = parseDocument(text);
  const value = (name: string) => findOption(document, SECTION, name)?.value ?? '';
  return { data_snapshots: value('data_snapshots'), image_id: value('image_id') };
}

/**
 * The two options as a configuration file has them now.
 *
 * @throws {UserError} when it cannot be read
 */
export async function presentAt(file: string): Promise<Present> {
  const { text, encoding } = await readConfigFile(file);
  // One character per byte, as `updateConfigFile` compares it.
  return presentIn(Buffer.from(text, encoding).toString('latin1'));
}

/** A configuration file's text with the outcome of a command; every other byte is as it was. */
export function withOutcome(text: string, { dataSnapshots, imageId }: Outcome): string {
  let document = parseDocument(text);
  if (dataSnapshots !== undefined) {
    document = setOption(document, SECTION, 'data_snapshots', dataSnapshots.join(' '));
  }
  if (imageId !== undefined) document = setOption(document, SECTION, 'image_id', imageId);
  return formatDocument(document);
}

/**
 * Writes the outcome of a command into the configuration file, atomically; owner and mode stay, and the previous
 * version is kept as `FILE.bak`. Other changes made to the file since the command began are kept. Where the file lies
 * in a directory of another user, root does all this with that user's rights.
 *
 * @param before the options as they were when the command began
 * @returns the place of the version before
 * @throws {UserError} when somebody else has changed the options meanwhile, or it cannot be written; nothing is changed
 *   then
 */
export async function updateConfigFile(file: string, before: Present, outcome: Outcome): Promise<string> {
  const { dataSnapshots, imageId } = outcome;
  const lines = [
    ...(dataSnapshots === undefined ? [] : [`data_snapshots = ${dataSnapshots.join(' ')}`]),
    ...(imageId === undefined ? [] : [`image_id = ${imageId}`]),
  ];
  const made = lines.join('; ');
  try {
    const rights = await rightsFor(file);
    const target = await realpath(file);
    // One character a byte: whatever the encoding is, it is kept.
    const text = Buffer.from(await run(['base64', '--', target], rights), 'base64').toString('latin1');
    const now = presentIn(text);
    if (now.data_snapshots !== before.data_snapshots || now.image_id !== before.image_id) {
      throw failure(
        `${file}: data_snapshots or image_id were changed meanwhile, so they are left as they are; put this into [SLAVE] yourself: ${made}`,
      );
    }
    const input = Buffer.from(withOutcome(text, outcome), 'latin1').toString('base64');
    await run(['sh', '-c', REPLACE, 'sh', target], rights, input);
    return `${target}.bak`;
  } catch (error) {
    if (isUserError(error) && error.message.includes(made)) throw error;
    throw failure(`${file} cannot be updated: ${messageOf(error)}; put this into [SLAVE] yourself: ${made}`, {
      cause: error,
    });
  }
}

/** Copies the file to `FILE.bak`, and replaces it with what base64 on standard input says; argument: the file. */
const REPLACE = `
set -eu
temporary=
trap '[ -z "$temporary" ] || rm -f -- "$temporary"' EXIT
put() { # TARGET: what stands on standard input, with the file's owner and mode
  temporary=$(mktemp -- "$(dirname -- "$1")/.sync-XXXXXX")
  cat > "$temporary"
  chown --reference="$file" -- "$temporary" || [ "$(id -u)" != 0 ]
  chmod --reference="$file" -- "$temporary"
  sync -- "$temporary"
  mv -fT -- "$temporary" "$1"
  temporary=
}
file=$1
new=$(cat)
put "$file.bak" < "$file"
echo "$new" | base64 -d | put "$file"
sync -- "$(dirname -- "$file")"
`;

async function run(argv: readonly string[], rights: Rights | undefined, input = ''): Promise<string> {
  const ended = await runCommand(argv, { input, ...(rights !== undefined && { rights }) });
  if (ended.status !== 0) throw commandFailure(argv[0] ?? '', ended);
  return ended.stdout;
}

/**
 * The rights with which a file is read and written; undefined for our own. Otherwise a user who may change the path
 * could make root write somewhere else.
 *
 * @throws {UserError} when several users may change it
 */
async function rightsFor(file: string): Promise<Rights | undefined> {
  const part = await strangerIn(file, 'place');
  return part === undefined ? undefined : await lookUpAccount(String(part.uid));
}
