import type { Config } from '../config/config.ts';
import { parseConfig } from '../config/load.ts';
import { usageError } from '../errors.ts';
import { assertNoSlave } from '../master/site.ts';
import { askForAccount, askForRegion, useProfile } from './ask-account.ts';
import { askForName } from './ask-name.ts';
import { askForSubnet } from './ask-network.ts';
import { askForStatus } from './ask-status.ts';
import { askForTypes } from './ask-types.ts';
import { askAndWrite } from './ask-write.ts';
import { monthLines } from './costs.ts';
import { describeGBrowse, findFiles } from './look.ts';
import { isOldImage } from './original.ts';
import { type Answers, planChanges, withAnswers } from './plan.ts';
import { findStart, valuesOf } from './start.ts';
import type { SetupOptions, SetupTools } from './tools.ts';

/** The result of setup. */
export type SetUp = {
  /** The configuration file. */
  readonly file: string;
  /** Its text, written or not. */
  readonly text: string;
  readonly isWritten: boolean;
  /** Whether there are credentials that AWS accepts. */
  readonly hasAccount: boolean;
};

/**
 * Makes a configuration for an installed package: examines the machine, asks, shows what it will write, and writes it.
 * Before the last question nothing is written but what mod_status needs, which has a question of its own; so setup can
 * be interrupted and run again.
 *
 * @throws {UserError}
 */
export async function setUp(options: SetupOptions, tools: SetupTools): Promise<SetUp> {
  const { say } = tools;
  const files = await findFiles(options.conf);
  const { file } = files.configuration;
  const metadata = await tools.readMetadata();
  assertNoSlave(metadata);
  say(
    metadata === undefined
      ? 'EC2: this machine is not an EC2 instance; slaves get public addresses.'
      : `EC2: this machine is ${metadata.instanceId} in ${metadata.availabilityZone}; slaves are reached by their private addresses.`,
  );
  for (const line of await describeGBrowse()) say(line);
  const { text: base, decided } = findStart(files, say);

  await askForStatus(
    valuesOf(base).server_status_url ?? 'http://localhost/server-status',
    options.dryRun,
    tools,
  );
  const removesKeys = await useProfile(options, files, tools);
  const region = metadata?.region ?? (await askForRegion(options, decided.region, tools));
  const { tried, keys } = await askForAccount(options, region, files, tools);
  try {
    const ec2 = 'sdk' in tried ? tried.sdk.ec2 : undefined;
    const isNamed = metadata !== undefined || decided.name !== undefined || files.isDecided;
    const name = isNamed ? options.name : await askForName(options.name, ec2, tools);
    const { types, spotBid, prices } = await askForTypes(options, decided, ec2, tools);
    const chosen: Answers = {
      ...(isOldImage(decided.image_id ?? '') && { imageId: '' }),
      ...options,
      ...(name !== undefined && { name }),
      ...(metadata === undefined && { region }),
      instanceTypes: types.join(' '),
      spotBid,
      removesKeys,
      ...(keys !== undefined && { keys }),
    };
    for (const line of monthLines(configOf(file, withAnswers(base, chosen)).loadTable, prices, types))
      say(`  ${line}`);
    const known = options.subnet ?? decided.subnet ?? '';
    const configFor = (subnet: string) => configOf(file, withAnswers(base, { ...chosen, subnet }));
    const subnet = ec2 === undefined ? known : await askForSubnet(configFor, known, metadata, ec2, tools);
    const answers = { ...chosen, ...(subnet !== known && { subnet }) };
    const text = withAnswers(base, answers);
    configOf(file, text);
    const changes = planChanges({ ...files, base }, answers);
    const isWritten = await askAndWrite(changes, files, options.dryRun, tools);
    // What runs next takes the new ones from the settings.
    if (isWritten && keys !== undefined) {
      for (const name of ['EC2_ACCESS_KEY', 'EC2_SECRET_KEY']) delete tools.env[name];
    }
    return { file, text, isWritten, hasAccount: ec2 !== undefined };
  } finally {
    if ('sdk' in tried) tried.sdk.close();
  }
}

/** @throws {UserError} with all mistakes of the text */
function configOf(file: string, text: string): Config {
  const { config, problems } = parseConfig(file, text);
  if (config === undefined) throw usageError(`${problems.join('\n')}\nnothing was written`);
  return config;
}
