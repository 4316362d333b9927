import type { Config } from '../config/config.ts';
import type { Site } from '../master/site.ts';

/** A script, and the file that it was read from. */
export type OwnScript = { readonly file: string; readonly text: string };

/** The options of `image`. */
export type ImageOrder = {
  readonly config: Config;
  readonly site: Site;
  readonly region: string;
  /** The AMI to start from; unset: the newest official one of this master's own distribution. */
  readonly from?: string;
  /** The administrator's script, which runs last, as root, on the staging instance. */
  readonly script?: OwnScript;
  /** How many images are kept. */
  readonly keep: number;
  readonly dryRun: boolean;
};
