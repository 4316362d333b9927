import type { Effect } from '../fake-aws/ec2/simulated-ec2.ts';

/** The instances that a call's answer speaks of as launched. (A repeated call speaks of them again.) */
export function bornIn(effect: Effect): string[] {
  if (effect.action !== 'CreateFleet') return [];
  return (effect.answer.Instances ?? []).flatMap(it => it.InstanceIds ?? []);
}

/** The instances that a call ends. */
export function endedIn(effect: Effect): readonly string[] {
  return effect.action === 'TerminateInstances' ? (effect.request.InstanceIds ?? []) : [];
}

/** The group, template or fleet that a call has made. */
export function createdIn(effect: Effect): string | undefined {
  switch (effect.action) {
    case 'CreateSecurityGroup':
      return effect.answer.GroupId;
    case 'CreateLaunchTemplate':
      return effect.answer.LaunchTemplate?.LaunchTemplateId;
    case 'CreateFleet':
      return effect.answer.FleetId;
    default:
      return undefined;
  }
}

/** The instances, and whatever else, that a call tags. */
export function taggedIn(effect: Effect): readonly string[] {
  return effect.action === 'CreateTags' ? (effect.request.Resources ?? []) : [];
}

/** The group or template that a call changes or deletes. */
export function touchedIn(effect: Effect): string | undefined {
  switch (effect.action) {
    case 'AuthorizeSecurityGroupIngress':
    case 'RevokeSecurityGroupIngress':
    case 'DeleteSecurityGroup':
      return effect.request.GroupId;
    case 'DeleteLaunchTemplate':
      return effect.request.LaunchTemplateId;
    default:
      return undefined;
  }
}

/** The spot requests that a call cancels. */
export function cancelledIn(effect: Effect): readonly string[] {
  return effect.action === 'CancelSpotInstanceRequests' ? (effect.request.SpotInstanceRequestIds ?? []) : [];
}
