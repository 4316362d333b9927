import { type ChildProcess, spawn } from 'node:child_process';
import { isSea } from 'node:sea';
import { openEnvironment } from './environment.ts';
import { ROLE_VARIABLE, type Role } from './self.ts';

/** Starts this program again: the single executable alone, or Node with the script that was started. */
export function spawnSelf(
  role: Role,
  options: {
    /** Without secrets: everybody can see the arguments until the child hides them. */
    readonly args: readonly string[];
    readonly title: string;
    /** In its own session, detached from the terminal. */
    readonly detached: boolean;
    readonly stderr: 'ignore' | 'inherit';
  },
): ChildProcess {
  const script = isSea() ? [] : process.argv.slice(1, 2);
  return spawn(process.execPath, [...script, ...options.args], {
    // So that `ps` shows the right name at once, and the later title has room.
    argv0: options.title,
    detached: options.detached,
    env: { ...openEnvironment(process.env), [ROLE_VARIABLE]: role },
    // The keeper's is a plain socket, at number KEEPER_CHANNEL.
    stdio: ['ignore', 'ignore', options.stderr, role === 'keeper' ? 'pipe' : 'ipc'],
  });
}
