/** A file and its new content. */
export type Change = {
  readonly file: string;
  /** Undefined: there is no such file. */
  readonly before: string | undefined;
  readonly after: string;
  /** Its permissions; undefined: those that it has, 0644 for a new file. */
  readonly mode?: number;
  readonly encoding?: 'utf8' | 'latin1';
};

/** Lines around a change that are shown. */
const CONTEXT = 2;

type Line = { readonly sign: ' ' | '-' | '+'; readonly text: string };

/** What changes in a file, as a unified diff without line numbers; empty where nothing does. Secret keys are not shown. */
export function diffLines({ file, before = '', after }: Change): readonly string[] {
  if (before === after) return [];
  const all = compare(linesOf(before), linesOf(after));
  const near = (at: number) =>
    all.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some(it => it.sign !== ' ');
  const shown = all.flatMap(({ sign, text }, at) => {
    if (near(at)) return [`${sign} ${withoutSecrets(text)}`.trimEnd()];
    return at > 0 && near(at - 1) ? ['  ...'] : [];
  });
  return [`--- ${file}`, ...(shown.at(-1) === '  ...' ? shown.slice(0, -1) : shown)];
}

function linesOf(text: string): readonly string[] {
  const lines = text.split('\n');
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

function withoutSecrets(line: string): string {
  return line.replace(/((?:SECRET|TOKEN)\w{0,200}=)(?!YOUR_EC2_)\S.*$/i, '$1(not shown)');
}

/** The longest common subsequence stays; files of the balancer have a few hundred lines. */
function compare(before: readonly string[], after: readonly string[]): readonly Line[] {
  const width = after.length + 1;
  const longest = new Uint32Array((before.length + 1) * width);
  const at = (i: number, j: number) => longest[i * width + j] ?? 0;
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      longest[i * width + j] =
        before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const [old, now] = [before[i], after[j]];
    if (old !== undefined && old === now) {
      lines.push({ sign: ' ', text: old });
      i++;
      j++;
    } else if (old !== undefined && (now === undefined || at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ sign: '-', text: old });
      i++;
    } else {
      lines.push({ sign: '+', text: now ?? '' });
      j++;
    }
  }
  return lines;
}
