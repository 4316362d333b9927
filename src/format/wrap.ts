/**
 * Breaks a text into lines of at most `width` characters, between words.
 *
 * @param longWords what to do with a word that is longer than a line: cut it, or keep it whole for copying
 */
export function wrapped(text: string, width: number, longWords: 'cut' | 'keep' = 'cut'): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
    while (longWords === 'cut' && line.length > width) {
      lines.push(line.slice(0, width));
      line = line.slice(width);
    }
  }
  return line === '' && lines.length > 0 ? lines : [...lines, line];
}
