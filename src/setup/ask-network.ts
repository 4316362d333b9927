import { sentence } from '../check/sentence.ts';
import type { Config } from '../config/config.ts';
import type { Ec2 } from '../ec2/api.ts';
import type { MasterMetadata } from '../master/metadata.ts';
import { siteOf } from '../master/site.ts';
import { findPlacements } from '../spot/network.ts';
import { refuseUnlessEmpty } from './refuse.ts';
import type { SetupTools } from './tools.ts';

/**
 * The subnet of the slaves. Shows where they would run; an answer that changes it is tried, and asked about again.
 *
 * @param configFor the configuration with a subnet in it; '' for none
 * @param known the subnet that is configured or given; '' for none
 * @returns '' for the balancer's own choice
 */
export async function askForSubnet(
  configFor: (subnet: string) => Config,
  known: string,
  metadata: MasterMetadata | undefined,
  ec2: Ec2,
  { ask, say, hostName }: SetupTools,
): Promise<string> {
  for (let subnet = known; ; ) {
    const config = configFor(subnet);
    const question = await describeNetwork(config, metadata, ec2, hostName);
    say(`Network: ${question.what}`);
    const answer = await ask.text(`Subnet of the slaves (empty: ${question.otherwise})`, subnet, {
      option: '--subnet',
      refuse: refuseUnlessEmpty('SLAVE', 'subnet'),
    });
    if (answer === subnet) return subnet;
    subnet = answer;
  }
}

async function describeNetwork(
  config: Config,
  metadata: MasterMetadata | undefined,
  ec2: Ec2,
  hostName: string,
): Promise<{ readonly what: string; readonly otherwise: string }> {
  const otherwise = metadata === undefined ? 'those of the default VPC' : 'that of this machine';
  try {
    // An image is not needed to find the network.
    const site = siteOf({ ...config, slave: { imageId: 'none', ...config.slave } }, metadata, hostName);
    const found = await findPlacements(ec2, site, undefined);
    const zones = [...new Set(found.map(it => it.availabilityZone))].toSorted();
    const where = site.subnet === undefined ? `${found[0]?.vpcId}` : `${site.subnet} of ${found[0]?.vpcId}`;
    return { what: `slaves run in ${where}, in ${zones.join(', ')}.`, otherwise };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { what: sentence(error.message), otherwise };
  }
}
