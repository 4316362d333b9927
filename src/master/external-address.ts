import { isIPv4 } from 'node:net';
import { SECOND } from '../clock.ts';
import { failure, messageOf } from '../errors.ts';

/** Public services that answer with the caller's address as text. The first is AWS's own. */
const SERVICES = ['https://checkip.amazonaws.com', 'https://api.ipify.org', 'https://icanhazip.com'];
const TIME_LIMIT = 5 * SECOND;

/**
 * The IPv4 address that slaves see the master's requests come from, asked from a public service over HTTPS
 * (the manual, "external_ip").
 *
 * @throws {UserError} when no service answers with an address
 */
export async function findExternalAddress(services: readonly string[] = SERVICES): Promise<string> {
  const { ofetch } = await import('ofetch');
  const troubles: string[] = [];
  for (const service of services) {
    try {
      const text: unknown = await ofetch(service, {
        timeout: TIME_LIMIT,
        retry: 1,
        retryDelay: 500,
        responseType: 'text',
      });
      const address = String(text).trim();
      if (isIPv4(address)) return address;
      troubles.push(`${service}: its answer is not an IPv4 address`);
    } catch (error) {
      troubles.push(`${service}: ${messageOf(error)}`);
    }
  }
  throw failure(
    `this machine's external address could not be determined (${troubles.join('; ')}); set [MASTER] external_ip in the configuration file`,
  );
}
