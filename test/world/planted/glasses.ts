import type { Instance } from '@aws-sdk/client-ec2';
import type { Ec2, Ec2Action, Ec2Actions } from '../../../src/ec2/api.ts';
import { NO_ANSWER } from '../../../src/ec2/errors.ts';
import type { Trouble } from '../troubles.ts';

type Change = <A extends Ec2Action>(
  action: A,
  request: Ec2Actions[A][0],
  go: (request?: Ec2Actions[A][0]) => Promise<Ec2Actions[A][1]>,
) => Promise<Ec2Actions[A][1]>;

/** EC2 seen through glasses. */
export function through(ec2: Ec2, change: Change): Ec2 {
  return (action, request, options) =>
    change(action, request, (other = request) => ec2(action, other, options));
}

/** EC2 that shows other instances than there are. */
export function showing(ec2: Ec2, change: (instances: readonly Instance[]) => Instance[]): Ec2 {
  return through(ec2, async (_action, _request, go) => {
    const answer = await go();
    if (!isDescription(answer)) return answer;
    const all = (answer.Reservations ?? []).flatMap(it => it.Instances ?? []);
    return { ...answer, Reservations: [{ Instances: change(all) }] };
  });
}

function isDescription(answer: unknown): answer is Ec2Actions['DescribeInstances'][1] {
  return typeof answer === 'object' && answer !== null && 'Reservations' in answer;
}

/** Takes keys of a request away. */
export function without<T extends object>(request: T, ...keys: readonly string[]): T {
  return Object.fromEntries(Object.entries(request).filter(([key]) => !keys.includes(key))) as T;
}

/** Half of the answers to an action are lost. */
export function lost(action: Ec2Action, duration: number): Trouble[] {
  return [
    {
      at: 0,
      kind: 'ec2 fails',
      actions: [action],
      code: NO_ANSWER,
      when: 'after',
      probability: 0.5,
      duration,
    },
  ];
}
