const QUOTED = /"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|((?:\\.|[^\\"'\s])+)|(\s+)/sy;

/**
 * A line's words as Perl's Text::ParseWords `shellwords` reads them: quotes and backslashes as in a shell, no expansion.
 * None at all where a quote is not closed.
 */
export function shellwords(line: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  QUOTED.lastIndex = 0;
  while (QUOTED.lastIndex < line.length) {
    const found = QUOTED.exec(line);
    if (found === null) return [];
    const [, double, single, plain] = found;
    const part = single ?? (double ?? plain)?.replaceAll(/\\(.)/gs, '$1');
    if (part !== undefined) word = (word ?? '') + part;
    else if (word !== undefined) {
      words.push(word);
      word = undefined;
    }
  }
  return word === undefined ? words : [...words, word];
}
