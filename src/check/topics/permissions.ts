import type { Ec2Action } from '../../ec2/api.ts';
import { policyFor, statementsFor } from '../../iam/policy.ts';
import { type Finding, ok, problem, skipped, warning } from '../finding.ts';
import { ownResources } from '../permissions/own.ts';
import { probesFor, usesOf } from '../permissions/probes.ts';
import { type Answer, tryOut } from '../permissions/try-out.ts';
import type { Topic } from '../topic.ts';

/** Every permission that the balancer needs, by EC2's DryRun with the parameters of its own calls. */
export const permissions: Topic = {
  name: 'permissions',
  async check(world) {
    const [{ ec2, region }, site, config] = await Promise.all([
      world.account(),
      world.site(),
      world.config(),
    ]);
    const own = await ownResources(ec2, site.name);
    const { probes, untried } = await probesFor(world, own);
    const uses = await usesOf(world, own);
    const answers = await Promise.all(probes.map(probe => tryOut(ec2, probe)));
    const policy = policyFor({
      ...config.slave,
      master: site.name,
      region,
      ...uses,
    });
    const named = (actions: readonly Ec2Action[]) =>
      policy.Statement.filter(({ Sid }) =>
        actions.some(action => statementsFor(policy, action).includes(Sid)),
      );
    const command = `gbrowse-aws-balancer iam-policy${uses.sync ? ' --sync' : ''}${uses.image ? ' --image' : ''} --conf ${config.file}`;
    return judgeAnswers(answers, untried, command, named);
  },
};

type NamedStatements = (actions: readonly Ec2Action[]) => readonly { readonly Sid: string }[];

/**
 * What all the answers say.
 *
 * @param command that prints the policy
 */
export function judgeAnswers(
  answers: readonly Answer[],
  untried: readonly Ec2Action[],
  command: string,
  statementsOf: NamedStatements,
): readonly Finding[] {
  const actionsOf = (kind: Answer['answer']) =>
    answers.filter(({ answer }) => answer === kind).map(({ action }) => action);
  // An action that is tried in several ways counts once, by the worst answer.
  const denied = [...new Set(actionsOf('denied'))].toSorted();
  const allowed = [...new Set(actionsOf('allowed')).difference(new Set(denied))].toSorted();
  const later = [...new Set([...untried, ...actionsOf('unsure')]).difference(new Set(denied))].toSorted();
  const findings: Finding[] = [];
  if (allowed.length > 0) {
    const how =
      denied.length === 0
        ? `${allowed.length} actions are allowed, which is all that can be tried now`
        : `${allowed.length} of ${allowed.length + denied.length} actions are allowed`;
    findings.push(ok(`${how} (EC2 DryRun).`, { details: { allowed } }));
  }
  if (denied.length > 0) {
    const reasons = [
      ...new Set(answers.flatMap(({ answer, reason }) => (answer === 'denied' && reason ? [reason] : []))),
    ];
    const statements = statementsOf(denied);
    findings.push(
      problem(
        `Denied: ${denied.join(', ')}${reasons.length > 0 ? ` (${reasons.join('; ')})` : ''}.`,
        `Give the user or role the policy that this command prints (statements: ${statements.map(({ Sid }) => Sid).join(', ')}):\n    ${command}`,
        { details: { denied, statements } },
      ),
    );
  }
  for (const { action, answer, reason } of answers) {
    if (answer === 'unclear')
      findings.push(warning(`EC2 does not say whether ${action} is allowed: ${reason}.`));
  }
  if (later.length > 0) {
    findings.push(
      skipped(
        `${later.join(', ')}: not tried. They are allowed only on resources with this master's tag, and there is none yet to try them on.`,
      ),
    );
  }
  return findings;
}
