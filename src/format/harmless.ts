/** Makes control characters visible, so that they cannot act on a terminal; line ends become blanks. */
export function harmless(text: string): string {
  return text
    .split('\n')
    .map((line, index, all) => {
      const begun = index === 0 ? line : line.trimStart();
      return index === all.length - 1 ? begun : begun.trimEnd();
    })
    .filter((line, index, all) => line !== '' || index === 0 || index === all.length - 1)
    .join(' ')
    .replaceAll(
      /[\p{Cc}\p{Bidi_C}\u2028\u2029]/gu,
      it => `\\x${it.codePointAt(0)?.toString(16).padStart(2, '0')}`,
    );
}
