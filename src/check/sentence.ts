/** A text as a sentence: with a capital and a full stop. */
export function sentence(text: string): string {
  const ends = /[.!?:]$/.test(text) || text.includes('\n');
  return `${text}${ends ? '' : '.'}`.replace(/^[a-z](?=[a-z]* )/, first => first.toUpperCase());
}
