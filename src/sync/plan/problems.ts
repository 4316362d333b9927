import { stat } from 'node:fs/promises';
import { findProgram, missingProgram } from '../../os/command.ts';
import type { SizedTree } from './measure.ts';

const PROGRAMS = ['rsync', 'ssh', 'ssh-keygen'];

/** What would prevent a sync; found before anything is launched. */
export async function problemsOf(
  trees: readonly SizedTree[],
  find: typeof findProgram = findProgram,
): Promise<readonly string[]> {
  const programs = [...PROGRAMS, ...(process.getuid?.() === 0 ? ['setpriv'] : [])];
  const missing = programs.filter(it => find(it) === undefined).map(it => missingProgram(it).message);
  const unreadable = trees.flatMap(({ size }) => size.unreadable);
  const foreign: string[] = [];
  for (const { tree } of trees) {
    const { uid } = await stat(tree.source);
    const isOurs = process.getuid?.() === 0 || process.getuid?.() === uid;
    if (tree.kind !== 'databases' && !isOurs) foreign.push(tree.source);
  }
  return [
    ...missing,
    ...(unreadable.length > 0
      ? [`${unreadable.join(', ')} cannot be read by this user; run sync as root`]
      : []),
    ...foreign.map(it => `the server of ${it} cannot be stopped by this user; run sync as root`),
    ...(trees.every(({ size }) => size.bytes === 0)
      ? [
          `there is nothing to copy: no file in ${trees.map(({ tree }) => tree.source).join(', ')} holds anything`,
        ]
      : []),
  ];
}
