import { MINUTE, SECOND } from '../../src/clock.ts';
import type { Config } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/load.ts';
import type { Settings } from './history.ts';

/** The configuration file that says so. */
export function configText(name: string, settings: Settings): string {
  return `[LOAD TABLE]
${settings.table.map(row => row.join('\t')).join('\n')}

[MASTER]
name = ${name}
poll_interval = ${settings.pollInterval / MINUTE}
server_status_url = http://localhost/server-status
drain_time = ${settings.drainTime / SECOND}
release_after = ${settings.releaseAfter ?? 'never'}
overload = ${settings.overload ?? 'climb'}

[SLAVE]
instance_type = ${settings.instanceTypes.join(' ')}
spot_bid = 0.1
${settings.budget === undefined ? '' : `budget = ${settings.budget}\n`}on_demand = ${settings.onDemand ?? 0}
ports = ${settings.ports.join(' ')}
region = us-west-2
image_id = GBrowse-2.54
data_snapshots = ${(settings.data ?? []).join(' ')}
boot_timeout = ${settings.bootTimeout / MINUTE}
orphan_timeout = ${settings.orphanTimeout / MINUTE}
`;
}

/** The configuration as the production parser reads it. */
export function configOf(name: string, settings: Settings): Config {
  const { config, problems } = parseConfig('aws_balancer.conf', configText(name, settings));
  if (config === undefined) throw new Error(problems.join('\n'));
  return config;
}
