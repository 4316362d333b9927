import { isIPv4 } from 'node:net';
import { SECOND } from '../clock.ts';
import { failure, messageOf } from '../errors.ts';

/** Public services that answer with the caller's address as text. The first is AWS's own. */
const SERVICES = ['https://checkip.amazonaws.com', 'https://api.ipify.org', 'https://icanhazip.com'];
/** For all of them together. */
const TIME_LIMIT = 5 * SECOND;

/**
 * The IPv4 address that slaves see the master's requests come from, asked from public services over HTTPS
 * (the manual, "external_ip"). They are asked at once; the first of the list that knows it is believed.
 *
 * @param timeLimit for all of them, ms
 * @throws {UserError} when no service answers with an address
 */
export async function findExternalAddress(
  services: readonly string[] = SERVICES,
  timeLimit = TIME_LIMIT,
): Promise<string> {
  const { ofetch } = await import('ofetch');
  const signal = AbortSignal.timeout(timeLimit);
  const answers = services.map(service =>
    ofetch(service, { signal, retry: 1, retryDelay: 500, responseType: 'text' }).then(
      (text: unknown) => {
        const address = String(text).trim();
        return isIPv4(address) ? { address } : { trouble: `${service}: its answer is not an IPv4 address` };
      },
      (error: unknown) => ({ trouble: `${service}: ${messageOf(error)}` }),
    ),
  );
  const troubles: string[] = [];
  for (const answer of answers) {
    const said = await answer;
    if ('address' in said) return said.address;
    troubles.push(said.trouble);
  }
  throw failure(
    `this machine's external address could not be determined (${troubles.join('; ')}); set [MASTER] external_ip in the configuration file`,
  );
}
