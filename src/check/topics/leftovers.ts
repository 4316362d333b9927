import { findLeftovers } from '../../leftovers/find.ts';
import { summary } from '../../leftovers/print.ts';
import { type Finding, ok, skipped, warning } from '../finding.ts';
import type { Topic } from '../topic.ts';

/** This master's resources in EC2 that no process owns, and a master of the same name elsewhere. */
export const leftovers: Topic = {
  name: 'leftovers',
  async check(world) {
    const [{ ec2 }, { name }, { file }] = await Promise.all([world.account(), world.site(), world.config()]);
    const { masters, unlisted } = await findLeftovers(ec2, { master: name, host: world.edges.hostName });
    const own = masters.find(it => it.master === name);
    const findings: Finding[] = [];
    const left = own?.leftovers ?? [];
    if (left.length === 0) findings.push(ok("None: everything with this master's tag is in use."));
    else {
      findings.push(
        warning(
          `${summary(left)} of this master that no running balancer owns. The next start takes them over.`,
          `To list them (add --yes to remove them):\n    gbrowse-aws-balancer gc --conf ${file}`,
          { details: { ids: left.map(({ id }) => id) } },
        ),
      );
    }
    for (const { why, resources } of own?.held ?? []) findings.push(ok(`${summary(resources)}: ${why}.`));
    if (unlisted.length > 0) {
      findings.push(skipped(`EC2 did not list ${unlisted.map(({ kind }) => `${kind}s`).join(', ')}`));
    }
    return findings;
  },
};
