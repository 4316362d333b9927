import { sentence } from '../check/sentence.ts';
import { failure, isUserError, usageError } from '../errors.ts';

/** How questions are answered: by a person at the terminal, or all of them by what was found. */
export type Ask = {
  /** @param found the answer if nobody is asked */
  confirm(question: string, found: boolean): Promise<boolean>;
  /**
   * @param found the answer that is offered; undefined where nothing was found
   * @param refuse what is wrong with an answer, if anything is
   * @throws {UserError} where nobody is asked and nothing was found; `option` names what gives the answer then
   */
  text(
    question: string,
    found: string | undefined,
    more: { readonly option: string; refuse(answer: string): string | undefined },
  ): Promise<string>;
  /**
   * @param isShown whether the answer is shown while it is typed
   * @returns undefined where nobody is asked
   */
  key(question: string, isShown: boolean): Promise<string | undefined>;
};

/** Uses what was found as every answer (`--yes`). */
export const TAKE_WHAT_WAS_FOUND: Ask = {
  confirm: async (_question, found) => found,
  text: async (question, found, { option, refuse }) => {
    if (found === undefined) throw usageError(`${question}: nothing was found; give ${option}`);
    const wrong = refuse(found);
    if (wrong !== undefined) throw usageError(`${option} is "${found}", ${wrong}`);
    return found;
  },
  key: async () => undefined,
};

/**
 * Asks at the terminal.
 *
 * @param askKey asks a question and shows the answer, or does not
 */
export async function atTerminal(
  say: (line: string) => void,
  askKey: (question: string, isShown: boolean) => Promise<string>,
): Promise<Ask> {
  const { consola } = await import('consola');
  const cancel = 'reject' as const;
  return {
    confirm: (question, found) =>
      heard(() => consola.prompt(question, { type: 'confirm', initial: found, cancel })),
    text: async (question, found, { refuse }) => {
      for (;;) {
        const said = await heard(() =>
          // Without a placeholder, an empty answer is shown as "undefined".
          consola.prompt(question, {
            type: 'text',
            placeholder: '',
            ...(found !== undefined && { initial: found }),
            cancel,
          }),
        );
        const answer = `${said ?? ''}`.trim();
        const wrong = refuse(answer);
        if (wrong === undefined) return answer;
        say(sentence(wrong));
      }
    },
    key: (question, isShown) => heard(() => askKey(`${question}: `, isShown)),
  };
}

/** @throws {UserError} when the question was ended with Ctrl-C or Ctrl-D */
async function heard<T>(prompt: () => Promise<T>): Promise<T> {
  try {
    return await prompt();
  } catch (error) {
    if (error instanceof Error && error.name === 'ConsolaPromptCancelledError') {
      throw failure('interrupted; run setup again to go on', { cause: error });
    }
    if (isUserError(error)) throw failure(`${error.message}; run setup again to go on`, { cause: error });
    throw error;
  }
}
