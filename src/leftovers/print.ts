import { explain } from '../ec2/explain.ts';
import { duration } from '../format/durations.ts';
import { dollars } from '../format/money.ts';
import { counted } from '../format/numbers.ts';
import { alignedRows } from '../format/tables.ts';
import type { Leftovers, MasterLeftovers } from './find.ts';
import type { Outcome } from './remove.ts';
import { KINDS, type Kind, type Resource } from './resource.ts';

/** What was found, as lines for people. */
export function leftoversAsText(found: Leftovers, now: number): string {
  const masters = found.masters.map(it => masterAsText(it, now));
  const unlisted = found.unlisted.map(
    ({ kind, error }) => `EC2 did not list ${kind}s, there may be leftovers among them: ${explain(error)}`,
  );
  const hasCost = found.masters.some(it => it.leftovers.some(({ cost }) => cost !== 0));
  return [...masters, ...unlisted, ...(hasCost ? [ABOUT_COSTS] : [])].join('\n\n');
}

const ABOUT_COSTS = `Costs are upper estimates: instances at their maximum price (the bid),
storage at the list price of us-east-1 and us-west-2; ? marks an unknown price.`;

function masterAsText({ master, leftovers, held, kept }: MasterLeftovers, now: number): string {
  const lines = [`Master "${master}": ${leftovers.length === 0 ? 'nothing is left over' : total(leftovers)}`];
  if (leftovers.length > 0) lines.push('', ...table(leftovers, now), '');
  for (const { why, resources } of held) lines.push(`  held: ${why}`, `        (${summary(resources)})`);
  for (const it of kept) lines.push(`  kept: ${it.kind} ${it.id} ${whyKept(it)}`);
  return lines.join('\n').trimEnd();
}

function whyKept({ kind, ofImage }: Resource): string {
  if (kind === 'image')
    return 'is complete; "gbrowse-aws-balancer image" removes it when there are newer ones';
  return ofImage === true ? 'belongs to an image' : 'is complete, so it counts as data';
}

function total(leftovers: readonly Resource[]): string {
  const cost = leftovers.reduce((sum, it) => sum + (it.cost ?? 0), 0);
  const unknown = leftovers.some(it => it.cost === undefined);
  const money =
    cost === 0 ? '' : `, at most ${dollars(cost)} so far${unknown ? ' (without those marked ?)' : ''}`;
  return `${leftovers.length} left over${money}`;
}

/** `2 instances, 1 security group`. */
export function summary(resources: readonly Resource[]): string {
  return KINDS.flatMap(kind => {
    const count = resources.filter(it => it.kind === kind).length;
    return count === 0 ? [] : [counted(count, kind)];
  }).join(', ');
}

/** Their names say no more than that they are ours. */
const NAMED_AFTER_US: readonly Kind[] = ['launch template', 'security group'];

function table(resources: readonly Resource[], now: number): string[] {
  const rows = resources.map(it => [
    it.kind,
    it.id,
    it.bornAt === undefined ? '-' : duration(now - it.bornAt),
    it.cost === undefined ? '?' : it.cost === 0 ? '-' : dollars(it.cost),
    NAMED_AFTER_US.includes(it.kind) ? '' : it.what,
  ]);
  return alignedRows([['', '', 'age', 'cost', ''], ...rows], { right: column => column === 3 }).map(line =>
    `  ${line}`.trimEnd(),
  );
}

/** The outcome for one resource, as a line for people. */
export function outcomeAsText(outcome: Outcome): string {
  const { resource } = outcome;
  return `${resource.kind} ${resource.id}: ${became(outcome)}`;
}

function became(outcome: Outcome): string {
  switch (outcome.became) {
    case 'removed':
      return outcome.resource.kind === 'instance' ? 'terminated' : 'removed';
    case 'gone':
      return ['volume', 'spot request'].includes(outcome.resource.kind)
        ? 'deleted with its instance'
        : 'already gone';
    case 'left':
      return `left alone: ${outcome.why}`;
    case 'failed':
      return `could not be removed: ${outcome.why}`;
  }
}

/** What was found, and the outcomes, for programs. Times are ISO 8601, costs US dollars. */
export function leftoversAsJson(found: Leftovers, outcomes?: readonly Outcome[]): string {
  const masters = found.masters.map(({ master, leftovers, held, kept }) => ({
    master,
    leftovers: leftovers.map(asJson),
    held: held.map(({ why, resources }) => ({ why, resources: resources.map(asJson) })),
    kept: kept.map(asJson),
  }));
  const unlisted = found.unlisted.map(({ kind, error }) => ({ kind, why: explain(error) }));
  const removed = outcomes?.map(({ resource, ...rest }) => ({
    kind: resource.kind,
    id: resource.id,
    ...rest,
  }));
  return JSON.stringify(
    { masters, unlisted, ...(removed !== undefined && { outcomes: removed }) },
    undefined,
    2,
  );
}

function asJson({ kind, id, sync, bornAt, what, cost, alive }: Resource) {
  return {
    kind,
    id,
    what,
    ...(sync !== undefined && { sync }),
    ...(bornAt !== undefined && { bornAt: new Date(bornAt).toISOString() }),
    ...(cost !== undefined && { costAtMost: Number(cost.toFixed(4)) }),
    ...(alive !== undefined && { alive: new Date(alive.at).toISOString() }),
  };
}
