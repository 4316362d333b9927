import { isUserError, messageOf, UserError } from '../errors.ts';
import { isSlaveUrl } from '../farm/slave-url.ts';
import type { LoadedConfig } from './keeper.ts';
import { isRecord, isTextList } from './message.ts';
import type { Account } from './privileges.ts';

/**
 * Messages between a balancer without privileges and its keeper, which has root's. Even a compromised balancer can do
 * no more than this, because root acts on nothing that comes from it: files and commands were given before the
 * privileges were dropped, or come from one of root's files.
 */
export type Request =
  | { readonly ask: 'config' }
  | { readonly ask: 'config.mark' }
  | { readonly ask: 'farm.read' }
  | { readonly ask: 'farm.write'; readonly urls: readonly string[] }
  | { readonly ask: 'farm.reload' }
  | { readonly ask: 'log' }
  | { readonly ask: 'end' };

/** The first message to the keeper, while its parent is still root. */
export type SetUp = {
  readonly configFile: string;
  readonly pidfile?: string;
  readonly logFile?: string;
  /** The user as whom the balancer will run. */
  readonly account: Account;
};

/** The answer to `config`: what the keeper has read as root, or why the balancer must read it itself. */
export type ConfigAnswer =
  | {
      readonly place: 'keeper';
      readonly loaded: LoadedConfig;
      readonly renderfarm: string;
      readonly writes: boolean;
    }
  | { readonly place: 'own'; readonly part: string };

export function isConfigAnswer(value: unknown): value is ConfigAnswer {
  if (!isRecord(value)) return false;
  return value.place === 'own'
    ? typeof value.part === 'string'
    : value.place === 'keeper' && isRecord(value.loaded);
}

/** The first message, number 0. */
export function isSetUpMessage(message: unknown): message is { readonly id: 0; readonly setUp: SetUp } {
  return (
    isRecord(message) &&
    message.id === 0 &&
    isRecord(message.setUp) &&
    typeof message.setUp.configFile === 'string' &&
    isRecord(message.setUp.account)
  );
}

/** More slaves than this are treated as an attack. */
const MOST_URLS = 10_000;

/** Reads a message as a request. `request` is undefined when it is none; without an id it could not be answered. */
export function parseRequest(
  message: unknown,
): { readonly id: number; readonly request: Request | undefined } | undefined {
  if (!isRecord(message) || typeof message.id !== 'number') return undefined;
  return { id: message.id, request: requestOf(message) };
}

function requestOf({ ask, urls }: Readonly<Record<string, unknown>>): Request | undefined {
  switch (ask) {
    case 'config':
    case 'config.mark':
    case 'farm.read':
    case 'farm.reload':
    case 'log':
    case 'end':
      return { ask };
    case 'farm.write':
      return isTextList(urls) && urls.length <= MOST_URLS && urls.every(isSlaveUrl)
        ? { ask, urls }
        : undefined;
    default:
      return undefined;
  }
}

/** An error on its way to the other process. */
type SentError = { readonly message: string; readonly exitStatus?: 1 | 2 };

export function sendableError(error: unknown): SentError {
  return isUserError(error)
    ? { message: error.message, exitStatus: error.exitStatus }
    : { message: messageOf(error) };
}

export function receivedError({ message, exitStatus }: SentError): Error {
  return exitStatus === undefined
    ? new Error(`the keeper failed: ${message}`)
    : new UserError(message, exitStatus);
}

/** An answer: to a request by its id, and to the set-up as number 0. */
export type Answer = { readonly id: number } & ({ readonly value?: unknown } | { readonly error: SentError });

export function isAnswer(message: unknown): message is Answer {
  return (
    isRecord(message) &&
    typeof message.id === 'number' &&
    (message.error === undefined || (isRecord(message.error) && typeof message.error.message === 'string'))
  );
}
