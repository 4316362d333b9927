import { ok, problem } from '../finding.ts';
import type { Topic } from '../topic.ts';

/** The AWS key pair that may log in to the slaves, if one is configured. */
export const keyPair: Topic = {
  name: 'key pair',
  async check(world) {
    const { slave } = await world.config();
    const name = slave.sshKey;
    if (name === undefined) return [];
    const { ec2, region } = await world.account();
    const { KeyPairs = [] } = await ec2('DescribeKeyPairs', {
      Filters: [{ Name: 'key-name', Values: [name] }],
    });
    if (KeyPairs.some(({ KeyName }) => KeyName === name)) {
      return [ok(`"${name}" is there; "gbrowse-aws-balancer ssh" logs in to a slave as ${slave.sshUser}.`)];
    }
    const place = world.options.sshKey === undefined ? await world.place('SLAVE', 'ssh_key') : '--ssh_key';
    return [
      problem(
        `There is no key pair "${name}" in ${region} (${place}). No slave can start.`,
        'Import it there, or name another:\n    aws ec2 import-key-pair --key-name NAME --public-key-material fileb://KEY.pub',
      ),
    ];
  },
};
