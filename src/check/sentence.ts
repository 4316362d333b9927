/** With a capital and a full stop, where it is a sentence. */
export function sentence(text: string): string {
  const ends = /[.!?:]$/.test(text) || text.includes('\n');
  return `${text}${ends ? '' : '.'}`.replace(/^[a-z](?=[a-z]* )/, first => first.toUpperCase());
}
