import type { ServerProcess } from './find.ts';

/** The copy that is being made, for a held server to complete. Each function returns whether it succeeded. */
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
  /** Completes the copy after the pass; returns whether it is complete. */
  finish(copy: Copy): Promise<boolean>;
  /** Resolves when the server runs again as before. */
  release(): Promise<void>;
};
