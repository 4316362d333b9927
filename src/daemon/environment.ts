/** Variables of an environment, by name. */
export type Environment = Readonly<Record<string, string>>;

/** Names that show that the value is secret; the path of a file is not. */
const CREDENTIAL_NAME = /SECRET|TOKEN|PASSWORD|PASSWD|CREDENTIAL|ACCESS_?KEY|PRIVATE_?KEY/i;
const PLACE_NAME = /_(FILE|URI)$/i;

function isCredential(name: string): boolean {
  return CREDENTIAL_NAME.test(name) && !PLACE_NAME.test(name);
}

/** Ours and AWS's own: no other program needs them. */
const AWS_NAME = /^(AWS|EC2)_/;

/** `http://user:password@proxy:3128`, as in `HTTPS_PROXY`. */
const URL_WITH_PASSWORD = /:\/\/[^/@\s]*@/;

/** They change how Node itself runs, and the caller's settings for Node are not meant for us. */
const NODE_OWN = new Set([
  'NODE_OPTIONS',
  'NODE_V8_COVERAGE',
  'NODE_CHANNEL_FD',
  'NODE_CHANNEL_SERIALIZATION_MODE',
]);

/**
 * The environment of every child process. `/proc/PID/environ` shows it to the child's user for as long as the child
 * lives, and a reload command hands it on to Apache, so nothing secret may be in it.
 */
export function openEnvironment(environment: NodeJS.ProcessEnv): Environment {
  return pick(environment, (name, value) => !isSecret(name, value));
}

/** The secret variables, which a child process gets as a message. */
export function secretEnvironment(environment: NodeJS.ProcessEnv): Environment {
  return pick(environment, isSecret);
}

/** The values that no log may show. */
export function credentialsIn(environment: NodeJS.ProcessEnv): readonly string[] {
  return Object.values(pick(environment, isCredential));
}

function isSecret(name: string, value: string): boolean {
  return AWS_NAME.test(name) || isCredential(name) || URL_WITH_PASSWORD.test(value);
}

function pick(environment: NodeJS.ProcessEnv, wanted: (name: string, value: string) => boolean): Environment {
  const picked: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && !NODE_OWN.has(name) && wanted(name, value)) picked[name] = value;
  }
  return picked;
}
