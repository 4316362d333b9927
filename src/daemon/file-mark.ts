import { stat } from 'node:fs/promises';
import { systemCode } from '../errors.ts';

/** What is another text when a file has been written or replaced; it says nothing else. Never throws. */
export async function fileMark(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs } = await stat(file, { bigint: true });
    return `${dev} ${ino} ${size} ${mtimeNs}`;
  } catch (error) {
    return systemCode(error) ?? 'unknown';
  }
}
