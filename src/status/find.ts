import { hostname } from 'node:os';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { findConfigFile } from '../config/locate.ts';
import { failure, isUserError, messageOf, systemCode, usageError } from '../errors.ts';
import { readMetadata } from '../master/metadata.ts';
import { masterNameOf } from '../master/site.ts';

/** The balancer that is meant. */
export type Found = {
  /** Undefined: the configuration cannot be had, and none runs. */
  readonly master: string | undefined;
  /** A further message. */
  readonly note?: string;
};

/**
 * Finds the balancer that is meant: the one of the configuration (its `[MASTER] name`, else the EC2 instance, else the
 * host). Where the configuration cannot be had, the only one that runs is meant.
 *
 * @param given `--conf`
 * @param running the masters that a balancer runs for
 * @throws {UserError} (2) when the configuration cannot be had and it is not clear which is meant
 */
export async function findBalancer(
  given: string | undefined,
  running: () => Promise<readonly string[]>,
): Promise<Found> {
  try {
    return { master: (await configuredMaster(given)).master };
  } catch (error) {
    if (!isUserError(error) || isMistyped(given, error)) throw error;
    const masters = await running();
    const [master, ...others] = masters;
    if (master === undefined) return { master, note: error.message };
    if (others.length === 0) {
      return { master, note: `${error.message}\nso this is the only balancer that runs on this machine:` };
    }
    throw usageError(
      `${error.message}\nso it is not clear which balancer is meant: balancers run for the masters ${masters.map(it => `"${it}"`).join(', ')}`,
      { cause: error },
    );
  }
}

/**
 * The configuration of `--conf`, or of the default place, and the name of its master.
 *
 * @throws {UserError} when the configuration is missing or wrong, or the name cannot be had
 */
export async function configuredMaster(
  given: string | undefined,
): Promise<{ readonly config: Config; readonly master: string }> {
  const { config } = await loadConfig(given ?? (await findConfigFile()));
  if (config.master.name !== undefined) return { config, master: config.master.name };
  try {
    return { config, master: masterNameOf(config, await readMetadata(process.env), hostname()) };
  } catch (error) {
    throw failure(
      `the EC2 instance metadata service, which supplies this master's name, does not answer (${messageOf(error)}); set [MASTER] name in ${config.file} instead`,
      { cause: error },
    );
  }
}

/** A file that was named and is not there. */
function isMistyped(given: string | undefined, error: Error): boolean {
  return given !== undefined && systemCode(error) === 'ENOENT';
}
