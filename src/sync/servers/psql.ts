import { MINUTE, SECOND } from '../../clock.ts';
import { type Rights, startCommand } from '../../os/command.ts';

/** A session with a PostgreSQL server. */
export type Psql = {
  /**
   * The answer to a statement: one value, as text.
   *
   * @throws when the statement fails, takes more than 10 minutes, or the session ends
   */
  ask(statement: string): Promise<string>;
  close(): Promise<void>;
};

/** Ends each answer. */
const MARK = 'gbrowse-aws-balancer:end';
/** A checkpoint is the longest that is asked for. */
const ANSWER_LIMIT = 10 * MINUTE;
/** A table of tablespaces is the longest answer (characters). */
const MOST_OUTPUT = 1024 ** 2;
const CLOSE_LIMIT = 5 * SECOND;

/**
 * Opens a session over the server's socket, with the server's own rights. It ends with this process.
 *
 * @returns undefined when the server does not accept the session
 */
export async function openPsql(at: {
  readonly program: string;
  readonly rights: Rights;
  readonly socketDirectory: string;
  readonly port: string;
}): Promise<Psql | undefined> {
  const child = startCommand(
    [
      ...[at.program, '-X', '-A', '-t', '-q', '-w', '-v', 'ON_ERROR_STOP=1'],
      ...['-h', at.socketDirectory, '-p', at.port, '-d', 'postgres'],
    ],
    'pipe',
    process.getuid?.() === 0 ? at.rights : undefined,
  );
  let output = '';
  let said = '';
  let waiting:
    | { readonly resolve: (answer: string) => void; readonly reject: (error: Error) => void }
    | undefined;
  let over = false;
  child.stdin?.on('error', () => {});
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000);
  });
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (output.length > MOST_OUTPUT) child.kill('SIGKILL');
    const end = output.indexOf(`${MARK}\n`);
    if (end < 0) return;
    const answer = output.slice(0, end).trim();
    output = '';
    waiting?.resolve(answer);
    waiting = undefined;
  });
  const ended = new Promise<void>(resolve => {
    child.once('error', () => resolve());
    child.once('close', () => resolve());
  }).then(() => {
    over = true;
    waiting?.reject(new Error(`psql has ended: ${said.trim()}`));
    waiting = undefined;
  });

  const psql: Psql = {
    ask: statement =>
      new Promise((resolve, reject) => {
        if (over) return reject(new Error(`psql has ended: ${said.trim()}`));
        const timer = setTimeout(() => child.kill('SIGKILL'), ANSWER_LIMIT);
        waiting = {
          resolve: answer => {
            clearTimeout(timer);
            resolve(answer);
          },
          reject: error => {
            clearTimeout(timer);
            reject(error);
          },
        };
        child.stdin?.write(`${statement};\n\\echo ${MARK}\n`);
      }),
    async close() {
      child.stdin?.end('\\q\n');
      const timer = setTimeout(() => child.kill('SIGKILL'), CLOSE_LIMIT);
      await ended;
      clearTimeout(timer);
    },
  };
  try {
    await psql.ask('SELECT 1');
    return psql;
  } catch {
    await psql.close();
    return undefined;
  }
}
