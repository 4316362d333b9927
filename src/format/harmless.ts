/** What would steer a terminal, made visible; line ends become blanks. */
export function harmless(text: string): string {
  return text
    .replaceAll(/\s*\n\s*/g, ' ')
    .replaceAll(
      /[\p{Cc}\p{Bidi_C}\u2028\u2029]/gu,
      it => `\\x${it.codePointAt(0)?.toString(16).padStart(2, '0')}`,
    );
}
