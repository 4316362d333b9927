import type { ServerProcess } from './find.ts';

/** The copy that is being made, as a held server completes it. Each function returns whether it succeeded. */
export type Copy = {
  /** Copies a directory of the master that lies in the tree. */
  pass(directory: string): Promise<boolean>;
  /** Writes a file into the copy; `file` is its path on the master. */
  write(file: string, text: string): Promise<boolean>;
};

/** A server that keeps its files fit for a copy. */
export type Hold = {
  readonly server: ServerProcess;
  /** The state that it is in, for people: `stopped`, `in backup mode`. */
  readonly state: string;
  /** Whether it serves nobody until it is released. */
  readonly isDown: boolean;
  /** Makes the copy whole, after the pass; answers whether it is. */
  finish(copy: Copy): Promise<boolean>;
  /** Resolves when the server runs as before. */
  release(): Promise<void>;
};
