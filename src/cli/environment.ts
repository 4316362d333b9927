import { SETTINGS_FILE, takeServiceSettings } from '../master/service-settings.ts';

/** The SDK sends them unchanged, and a line end in a header breaks the request. */
const AWS_KEYS = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'];

/**
 * The environment of every command: for root with the settings of the service, and keys without the line end of the
 * file that they came from.
 */
export function prepareEnvironment(env: NodeJS.ProcessEnv): void {
  if (process.getuid?.() === 0) takeServiceSettings(SETTINGS_FILE, env);
  for (const name of AWS_KEYS) {
    const value = env[name]?.trim();
    if (value !== undefined) env[name] = value;
  }
}
