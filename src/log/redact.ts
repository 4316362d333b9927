/** What a log shows in place of a secret. */
const HIDDEN = '***';

/** A shorter word is no credential; hiding it would only garble the log. */
const SHORTEST_SECRET = 4;

/** The last step before anything is written: replaces every secret that it knows. */
type Redactor = {
  /** From now on this is hidden too. Unset and very short values are ignored. */
  hide(secret: string | undefined): void;
  redact(text: string): string;
};

/** A guard for these secrets; each is also found in the form that a URL or a JSON text gives it. */
export function createRedactor(secrets: readonly (string | undefined)[] = []): Redactor {
  let hidden: readonly string[] = [];

  function hide(secret: string | undefined): void {
    // As it is used, and as it was given: with the line end of a file, perhaps.
    const texts = [...new Set([secret ?? '', secret?.trim() ?? ''])].filter(
      it => it.length >= SHORTEST_SECRET,
    );
    const forms = texts.flatMap(it => [
      it,
      encodeURIComponent(it.toWellFormed()),
      JSON.stringify(it).slice(1, -1),
    ]);
    // Longest first, so that a secret that contains another one does not stay half visible.
    hidden = [...new Set([...hidden, ...forms])].sort((a, b) => b.length - a.length);
  }

  function redact(text: string): string {
    return hidden.reduce((clean, secret) => clean.replaceAll(secret, HIDDEN), text);
  }

  for (const secret of secrets) hide(secret);
  return { hide, redact };
}
