import { rm } from 'node:fs/promises';
import { messageOf, systemCode } from '../errors.ts';
import type { Log } from '../log/log.ts';
import { ownerFor, removeFileAs, replaceFileAs } from '../os/owner-rights.ts';

/** A file that the balancer keeps up to date for others to read. Its methods never throw. */
export type MetricsFile = {
  /**
   * Replaces the file as a whole, with mode 0644; as root in a directory of another user's with that user's rights.
   * What cannot be written is said once.
   */
  write(make: () => Promise<string>): Promise<void>;
  /** A balancer that has ended has no metrics: otherwise the last ones would be taken as current for ever. */
  remove(): Promise<void>;
};

/**
 * @param file absolute path
 * @param what how messages call it
 */
export function createMetricsFile(
  file: string,
  log: Log,
  what: 'metrics file' | 'status page' = 'metrics file',
): MetricsFile {
  let trouble: string | undefined;
  let written = false;
  /** One after the other. */
  let last = Promise.resolve();

  async function replace(make: () => Promise<string>): Promise<void> {
    try {
      const text = await make();
      await replaceFileAs(await ownerFor(file), file, text);
      if (!written && what === 'metrics file' && !file.endsWith('.prom')) {
        log.warn(`--metrics-file ${file}: node_exporter reads only files whose names end in .prom`);
      }
      written = true;
      if (trouble !== undefined) log.info(`the ${what} ${file} can be written again`);
      trouble = undefined;
    } catch (error) {
      const reason = reasonOf(error);
      if (reason !== trouble) log.warn(`the ${what} ${file} cannot be written: ${reason}`);
      trouble = reason;
    }
  }

  return {
    write(make) {
      last = last.then(() => replace(make));
      return last;
    },
    remove() {
      last = last.then(async () => {
        if (written) await removeWritten(file).catch(() => {});
      });
      return last;
    },
  };
}

async function removeWritten(file: string): Promise<void> {
  const owner = await ownerFor(file);
  await (owner === undefined ? rm(file, { force: true }) : removeFileAs(owner, file, '#'));
}

function reasonOf(error: unknown): string {
  switch (systemCode(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'its directory does not exist';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied; the user that the balancer runs as (--user) must be allowed to write into its directory';
    case 'EROFS':
      return 'its file system is read-only (for a systemd service: ReadWritePaths= must have its directory)';
    case 'ENOSPC':
    case 'EDQUOT':
      return 'the disk is full';
    case 'EISDIR':
      return 'it is a directory';
    default:
      return messageOf(error);
  }
}
