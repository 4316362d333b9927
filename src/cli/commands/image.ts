import { failure } from '../../errors.ts';
import { makeImage } from '../../image/image.ts';
import { readSmall } from '../../staging/read-small.ts';
import type { Given } from '../given.ts';
import { runStaging } from '../staging.ts';

/** Bytes. It travels over ssh as one text. */
const LONGEST_SCRIPT = 256 * 1024;

/**
 * `gbrowse-aws-balancer image`: an AMI whose slaves draw as this master does.
 *
 * @returns the exit status
 */
export async function image(given: Given<'image'>): Promise<number> {
  const { script: file, ...rest } = given;
  const script = file === undefined ? undefined : await readScript(file);
  return await runStaging('image', given, ({ config, site }, region, tools) =>
    makeImage(
      {
        ...rest,
        config,
        site,
        region,
        ...(script !== undefined && file !== undefined && { script: { file, text: script } }),
      },
      tools,
    ),
  );
}

async function readScript(file: string): Promise<string> {
  const text = await readSmall(file, LONGEST_SCRIPT, 'followed');
  if (text === undefined) {
    throw failure(
      `--script: ${file} cannot be read, expected a file of at most ${LONGEST_SCRIPT / 1024} KiB`,
    );
  }
  if (text.startsWith('#!')) return text;
  throw failure(
    `--script: ${file} does not begin with #!, so nobody knows what runs it; begin it with #!/bin/sh`,
  );
}
