import { startCommand } from '../../staging/command.ts';

/** A session with a PostgreSQL server. */
export type Psql = {
  /**
   * The answer to a statement: one value, as text.
   *
   * @throws when the statement fails or the session ends
   */
  ask(statement: string): Promise<string>;
  close(): Promise<void>;
};

/** Ends each answer. */
const MARK = 'gbrowse-aws-balancer:end';

/** Opens a session over the server's socket, as the user that the server runs as. It ends with this process. */
export async function openPsql(at: {
  readonly program: string;
  readonly uid: number;
  readonly gid: number;
  readonly socketDirectory: string;
  readonly port: string;
}): Promise<Psql | undefined> {
  const asUser =
    process.getuid?.() === 0
      ? ['setpriv', `--reuid=${at.uid}`, `--regid=${at.gid}`, '--clear-groups', '--']
      : [];
  const child = startCommand(
    [
      ...asUser,
      ...[at.program, '-X', '-A', '-t', '-q', '-w', '-v', 'ON_ERROR_STOP=1'],
      ...['-h', at.socketDirectory, '-p', at.port, '-d', 'postgres'],
    ],
    'pipe',
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
        waiting = { resolve, reject };
        child.stdin?.write(`${statement};\n\\echo ${MARK}\n`);
      }),
    async close() {
      child.stdin?.end('\\q\n');
      const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
      await ended;
      clearTimeout(timer);
    },
  };
  try {
    await psql.ask('SELECT 1');
    return psql;
  } catch {
    return undefined;
  }
}
