/** Text for a page; characters that do not print would only hide something. */
export function html(text: string): string {
  return text
    .replaceAll(/[^\P{C}\n]/gu, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
