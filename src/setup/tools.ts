import type { Keys } from '../master/keys.ts';
import type { MasterMetadata } from '../master/metadata.ts';
import type { Ask } from './ask.ts';
import type { Answers } from './plan.ts';

/** The options of the command line. */
export type SetupOptions = Omit<Answers, 'keys' | 'serverStatusUrl' | 'removesKeys'> &
  Pick<Keys, 'accessKey' | 'secretKey'> & {
    /** `--conf` */
    readonly conf?: string;
    readonly dryRun: boolean;
  };

/** What setup asks and acts with. */
export type SetupTools = {
  readonly ask: Ask;
  say(line: string): void;
  readonly env: NodeJS.ProcessEnv;
  readonly hostName: string;
  readMetadata(): Promise<MasterMetadata | undefined>;
};
