import type { Snapshot } from '@aws-sdk/client-ec2';
import { MASTER_TAG, SYNC_TAG, tagValue } from '../../spot/tags.ts';
import { type Finding, ok, problem, warning } from '../finding.ts';
import type { Topic } from '../topic.ts';

/** The slaves' data snapshots: whether they exist, are complete, and belong together. */
export const snapshots: Topic = {
  name: 'snapshots',
  async check(world) {
    const { dataSnapshots } = (await world.config()).slave;
    if (dataSnapshots.length === 0) return [ok('None configured: slaves render the data of their image.')];
    const { ec2 } = await world.account();
    const { Snapshots = [] } = await ec2('DescribeSnapshots', {
      // A filter, because an id that EC2 does not know is an error otherwise.
      Filters: [{ Name: 'snapshot-id', Values: [...dataSnapshots] }],
    });
    const { file } = await world.config();
    const place = await world.place('SLAVE', 'data_snapshots');
    return judgeSnapshots({
      wanted: dataSnapshots,
      found: Snapshots,
      master: (await world.site()).name,
      place,
      file,
    });
  },
};

type SnapshotFacts = {
  readonly wanted: readonly string[];
  readonly found: readonly Snapshot[];
  readonly master: string;
  readonly place: string;
  readonly file: string;
};

/** What is wrong with the snapshots, or when they were made. */
export function judgeSnapshots({ wanted, found, master, place, file }: SnapshotFacts): readonly Finding[] {
  const again = `Make new ones, which also updates ${place}:\n    gbrowse-aws-balancer sync --conf ${file}`;
  const findings: Finding[] = [];
  const missing = wanted.filter(id => !found.some(it => it.SnapshotId === id));
  if (missing.length > 0) {
    findings.push(
      problem(
        `${missing.join(', ')}: not in this region, or not accessible to this account. No slave can start.`,
        again,
      ),
    );
  }
  for (const { SnapshotId, State, Progress } of found) {
    if (State === 'pending') {
      findings.push(
        problem(
          `${SnapshotId} is ${Progress ?? 'not yet'} complete; slaves can start when it is.`,
          'Wait, then run check again.',
        ),
      );
    } else if (State !== undefined && State !== 'completed') {
      findings.push(problem(`${SnapshotId} is in the state ${State}. No slave can start.`, again));
    }
  }
  const owners = new Set(found.map(it => tagValue(it.Tags, MASTER_TAG)).filter(it => it !== undefined));
  const others = [...owners].filter(owner => owner !== master);
  if (others.length > 0) {
    findings.push(
      warning(
        `They were made by the master "${others.join('", "')}", but this is "${master}": make sure that they hold its data.`,
        again,
      ),
    );
  }
  const syncs = new Set(found.map(it => tagValue(it.Tags, SYNC_TAG)));
  if (syncs.size > 1) {
    findings.push(
      warning('They were not all made by one sync, so the data of a slave may be inconsistent.', again),
    );
  }
  if (findings.length > 0) return findings;
  const made = found
    .map(it => it.StartTime?.toISOString().slice(0, 10) ?? '')
    .toSorted()
    .at(-1);
  const by = syncs.has(undefined) ? 'not made by sync' : 'of one sync';
  const size = found.reduce((sum, it) => sum + (it.VolumeSize ?? 0), 0);
  return [
    ok(
      `${wanted.length === 1 ? '1 snapshot' : `${wanted.length} snapshots`}, ${size} GiB, of ${made}, complete, ${by}.`,
    ),
  ];
}
