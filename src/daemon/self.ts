import { fstatSync } from 'node:fs';
import path from 'node:path';
import { commandLineOf } from '../os/process.ts';

/** The program's name, as `ps` shows it. */
export const PROGRAM = 'gbrowse-aws-balancer';

/**
 * What `ps` shows for the part that has root's rights; it differs from a balancer's name, so that no pidfile is taken
 * for its own.
 */
export const KEEPER_TITLE = `${PROGRAM}: keeper`;

/** Whether a process calls itself by our name (a keeper does not: its name ends with a colon). */
export function isBalancer(pid: number): boolean {
  return isBalancerTitle(commandLineOf(pid)[0] ?? '');
}

/** @param title the first argument of a process, or the whole title that it has set */
export function isBalancerTitle(title: string): boolean {
  const [name = ''] = title.split(' ', 1);
  return path.basename(name) === PROGRAM;
}

/** The role of one of our processes, besides what its command line says. */
export type Role = 'background' | 'keeper';

/** The descriptor of the socket between a keeper and its balancer. */
export const KEEPER_CHANNEL = 3;

/** The environment variable that holds the role. */
export const ROLE_VARIABLE = 'GBROWSE_AWS_BALANCER_ROLE';

/**
 * The role that the process which started us gave us; undefined for a process that a person started. Call this once,
 * first of all: it takes the role out of the environment, so that children do not get it.
 */
export function takeRole(): Role | undefined {
  const role = process.env[ROLE_VARIABLE];
  delete process.env[ROLE_VARIABLE];
  // A role needs a channel: without one the variable is somebody's mistake.
  if (role === 'background') return process.send === undefined ? undefined : role;
  return role === 'keeper' && isSocket(KEEPER_CHANNEL) ? role : undefined;
}

function isSocket(fd: number): boolean {
  try {
    return fstatSync(fd).isSocket();
  } catch {
    return false;
  }
}
