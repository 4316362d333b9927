import type { ServerProcess } from './find.ts';

/** What a server's hold needs of the copy that is being made. Each answers whether it was done. */
export type Copy = {
  /** Copies a directory of the master that lies in the tree. */
  pass(directory: string): Promise<boolean>;
  /** Writes a file into the copy; `file` is its path on the master. */
  write(file: string, text: string): Promise<boolean>;
};

/** A server that keeps its files fit for a copy. */
export type Hold = {
  readonly server: ServerProcess;
  /** What is done to it, for people: `stopped`, `in backup mode`. */
  readonly state: string;
  /** Whether it serves nobody meanwhile. */
  readonly isDown: boolean;
  /** Makes the copy whole, after the pass; answers whether it is. */
  finish(copy: Copy): Promise<boolean>;
  /** The server works as before, from the moment that this resolves. */
  release(): Promise<void>;
};
