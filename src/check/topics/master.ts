import { isLockHeld } from '../../daemon/lock.ts';
import { isCommonName } from '../../master/site.ts';
import { type Finding, ok, warning } from '../finding.ts';
import type { Topic } from '../topic.ts';

/** By which name this master owns its slaves, where it runs, and whether its balancer is already running. */
export const master: Topic = {
  name: 'master',
  async check(world) {
    const [site, config, metadata] = await Promise.all([world.site(), world.config(), world.metadata()]);
    const named =
      config.master.name !== undefined
        ? '[MASTER] name'
        : metadata === undefined
          ? 'the host name'
          : 'the instance id';
    const where =
      metadata === undefined
        ? 'outside EC2'
        : `on EC2, in ${metadata.availabilityZone}; region, image and network are its own`;
    const findings: Finding[] = [ok(`"${site.name}" (${named}), ${where}.`)];
    const vendor = metadata === undefined ? await world.edges.machineVendor() : undefined;
    if (vendor?.trim() === 'Amazon EC2' && world.edges.env.AWS_EC2_METADATA_DISABLED === undefined) {
      findings.push(
        warning(
          'This is an EC2 instance, but its metadata service does not answer, so the balancer works as on a machine outside EC2: slaves are reached by their public addresses.',
          'In a container the answers need one hop more:\n    aws ec2 modify-instance-metadata-options --instance-id ID --http-endpoint enabled --http-put-response-hop-limit 2\nWhere the service has an IPv6 address only, set AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv6.',
        ),
      );
    }
    if (named === 'the host name' && isCommonName(site.name)) {
      findings.push(
        warning(
          `"${site.name}" is a common host name: another master of the account with the same name would take these slaves for its own.`,
          `In ${await world.place('MASTER', 'name')}:\n    name = a-name-of-its-own`,
        ),
      );
    }
    const runs = await isLockHeld(`master:${site.name}`);
    findings.push(
      ok(runs ? 'The balancer is running on this machine.' : 'The balancer is not running on this machine.', {
        details: { running: runs },
      }),
    );
    return findings;
  },
};
