import path from 'node:path';
import { SECOND } from '../clock.ts';
import { failure } from '../errors.ts';
import { commandFailure, runCommand } from './command.ts';
import { replaceFile } from './replace-file.ts';
import { type ForeignPart, foreignPartOf } from './root-path.ts';

/** A user whose rights root takes on for one file. */
export type Owner = { readonly uid: number; readonly gid: number };

const TIME_LIMIT = 10 * SECOND;
/** Of a user that this machine has no account of. */
const NO_GROUP = 65_534;

/**
 * The one user besides root who can change a path; undefined where there is none, and always for us who are not root.
 *
 * @param about as `foreignPartOf` has it
 * @throws {UserError} when several users can change it
 */
export async function strangerIn(file: string, about: 'content' | 'place'): Promise<ForeignPart | undefined> {
  if (process.geteuid?.() !== 0) return undefined;
  const part = await foreignPartOf(file, about);
  if (part === undefined) return undefined;
  if (part.uid !== 0 && (await foreignPartOf(file, about, [part.uid])) === undefined) return part;
  throw failure(
    `users other than root can change ${part.path}, so root writes nothing there; name a file in a directory that ` +
      'belongs to one user, and that nobody else can write to',
  );
}

/**
 * With whose rights a file in a directory is to be made or removed; undefined for our own. In a directory of another
 * user's, root could be made to write elsewhere.
 *
 * @throws {UserError} when several users can change the directory
 */
export async function ownerFor(file: string): Promise<Owner | undefined> {
  const stranger = await strangerIn(path.dirname(path.resolve(file)), 'content');
  if (stranger === undefined) return undefined;
  const { uid } = stranger;
  const group = await runCommand(['id', '-g', '--', String(uid)], { timeLimit: TIME_LIMIT });
  return { uid, gid: group.status === 0 ? Number(group.stdout) : NO_GROUP };
}

const REPLACE = `
set -eu
temporary=$(mktemp -- "$(dirname -- "$1")/.balancer-XXXXXX")
trap 'rm -f -- "$temporary"' EXIT
cat > "$temporary"
chmod 644 -- "$temporary"
mv -fT -- "$temporary" "$1"
`;

/**
 * Puts a new file with mode 0644 in place of what stands at a path, a link itself, at one stroke.
 *
 * @param owner with whose rights; undefined: our own
 * @throws the system's error, or {UserError}; what stood there is as it was then
 */
export async function replaceFileAs(owner: Owner | undefined, file: string, text: string): Promise<void> {
  if (owner === undefined)
    return await replaceFile(file, Buffer.from(text), { force: true, replaceLink: true });
  await runAs(owner, `Writing ${file}`, ['sh', '-c', REPLACE, 'sh', path.resolve(file)], text);
}

const REMOVE = 'read -r word rest < "$1"; [ "$word" = "$2" ] && rm -f -- "$1"';

/**
 * Removes a file with the rights of its directory's owner.
 *
 * @param word the word that the file must begin with
 * @throws {UserError} when it begins with something else, or cannot be removed
 */
export async function removeFileAs(owner: Owner, file: string, word: string): Promise<void> {
  await runAs(owner, `Removing ${file}`, ['sh', '-c', REMOVE, 'sh', path.resolve(file), word]);
}

async function runAs({ uid, gid }: Owner, what: string, argv: readonly string[], input = ''): Promise<void> {
  const ended = await runCommand(argv, { input, timeLimit: TIME_LIMIT, rights: { uid, gid, groups: [] } });
  if (ended.status !== 0) throw commandFailure(`${what} with the rights of user id ${uid}`, ended);
}
