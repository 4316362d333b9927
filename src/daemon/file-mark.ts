import { stat } from 'node:fs/promises';
import { systemCode } from '../errors.ts';

/** A text that changes when a file is written or replaced, and has no other meaning. Never throws. */
export async function fileMark(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs } = await stat(file, { bigint: true });
    return `${dev} ${ino} ${size} ${mtimeNs}`;
  } catch (error) {
    return systemCode(error) ?? 'unknown';
  }
}
