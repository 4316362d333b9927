import { isDenied, isEc2Error, isUnreachable } from '../ec2/errors.ts';
import { isUserError } from '../errors.ts';
import { type Finding, isNotChecked, problem, skipped, type Verdict } from './finding.ts';
import { sentence } from './sentence.ts';
import type { Topic } from './topic.ts';
import type { World } from './world.ts';

/** A finding, and what it is about. */
export type CheckedFinding = Finding & { readonly topic: string };

/** What `check` has found. `result` is the worst verdict; what was skipped does not count. */
export type Report = {
  readonly result: Exclude<Verdict, 'skipped'>;
  readonly findings: readonly CheckedFinding[];
};

/**
 * Checks every topic, all at the same time; a failure in one says nothing about the others. A check that is still
 * pending at the end of the time limit is reported as a problem.
 *
 * @param onProgress called with the topics that are still pending, at first all of them
 */
export async function check(
  topics: readonly Topic[],
  world: World,
  onProgress: (pending: readonly string[]) => void = () => {},
): Promise<Report> {
  const pending = new Set(topics.map(({ name }) => name));
  onProgress([...pending]);
  const all = await Promise.all(
    topics.map(async topic => {
      const found = await checkTopic(topic, world);
      world.answered();
      pending.delete(topic.name);
      onProgress([...pending]);
      return found.map(finding => ({ topic: topic.name, ...finding }));
    }),
  );
  const findings = all.flat();
  const has = (verdict: Verdict) => findings.some(it => it.verdict === verdict);
  return { result: has('problem') ? 'problem' : has('warning') ? 'warning' : 'ok', findings };
}

async function checkTopic(topic: Topic, world: World): Promise<readonly Finding[]> {
  try {
    return await Promise.race([topic.check(world), timeUp(world.signal)]);
  } catch (error) {
    if (world.signal.aborted) return [problem('No answer in time. --timeout allows more time.')];
    return [findingOf(error)];
  }
}

function timeUp(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** The finding for an error. A bug of the program is thrown again. */
function findingOf(error: unknown): Finding {
  if (isNotChecked(error)) return skipped(error.message);
  if (isUserError(error)) return problem(sentence(error.message));
  if (!isEc2Error(error)) throw error;
  const { action, code } = error;
  if (isDenied(error)) return skipped(`not checked: AWS denies ec2:${action}`);
  const message = error.message.replace(/\.$/, '');
  return problem(isUnreachable(error) ? `${action}: ${message}.` : `${action}: ${message} (${code}).`);
}
