import { hasFailed, type StateView } from './state.ts';

/** What a stop leaves behind in EC2, as far as is known, and what to do about it. */
export function leftInWords(state: StateView): string {
  const { members, instancesInFlight, launchInFlight, plan, config, describedAt } = state;
  const all = [...members.values()];
  const idsOf = (those: typeof all) => those.map(it => it.slave.instanceId).join(', ');
  const living = all.filter(it => it.leaving?.terminateAskedAt === undefined);
  const ending = all.filter(it => it.leaving?.terminateAskedAt !== undefined);
  const parts = [
    living.length > 0 && `instances that cost money until they end: ${idsOf(living)}`,
    instancesInFlight.size > 0 &&
      `instances that were launched and that EC2 has not shown yet: ${[...instancesInFlight.keys()].join(', ')}`,
    launchInFlight !== undefined &&
      `perhaps ${launchInFlight.count} more, from a launch that EC2 has not answered`,
    ending.length > 0 && `instances that were asked to end: ${idsOf(ending)}`,
    describedAt === undefined && 'whatever an earlier run launched: EC2 never answered',
    state.tidyTries > 0 && !hasFailed(state, 'tidy')
      ? 'the security group, which EC2 keeps until its instances have ended'
      : plan === undefined
        ? 'a launch template and a security group, if there are any'
        : `the launch template ${plan.templateId} and its security group`,
  ].filter(it => it !== false);
  return (
    `left in EC2: ${parts.join('; ')}. When EC2 answers again, list and remove it with: ` +
    `gbrowse-aws-balancer gc --conf ${config.file} --yes`
  );
}
