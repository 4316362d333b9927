import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { parseConfig } from '../../src/config/load.ts';
import type { Ec2 } from '../../src/ec2/api.ts';
import { Ec2Error } from '../../src/ec2/errors.ts';
import { conclude } from '../../src/image/conclude.ts';
import { presentAt } from '../../src/staging/conf-file.ts';
import { createPhases } from '../../src/staging/phases.ts';
import { createVirtualClock } from '../fake-aws/virtual-clock.ts';

const DAY = 24 * 3_600_000;

/** An account with so many images of this master, one a day; the number is in ids and names. */
function accountWith(count: number, denied = '') {
  const images = new Set(Array.from({ length: count }, (_, at) => at + 1));
  const snapshots = new Set(images);
  const numberOf = (id = '') => Number(id.split('-')[1]);
  const ec2 = (async (
    action: string,
    request: { readonly ImageId?: string; readonly SnapshotId?: string },
  ): Promise<unknown> => {
    if (action === denied) throw new Ec2Error(action, 'UnauthorizedOperation', 'You may not.', 403);
    if (action === 'DeregisterImage') images.delete(numberOf(request.ImageId));
    else if (action === 'DeleteSnapshot') snapshots.delete(numberOf(request.SnapshotId));
    else if (action !== 'DescribeImages') throw new Error(action);
    return {
      Images: [...images].map(it => ({
        ImageId: `ami-${it}`,
        Name: `GBrowse slave of web1 ${it}`,
        State: 'available',
        CreationDate: new Date(it * DAY).toISOString(),
        BlockDeviceMappings: [{ Ebs: { SnapshotId: `snap-${it}` } }],
      })),
    };
  }) as Ec2;
  return { ec2, left: () => [...images], stored: () => [...snapshots] };
}

/** Lets `image` end with the newest image of an account, where the configuration names another one. */
async function concludeWith(
  t: TestContext,
  account: ReturnType<typeof accountWith>,
  { keep, named, made }: { readonly keep: number; readonly named: string; readonly made: string },
) {
  const directory = mkdtempSync(path.join(tmpdir(), 'conclude-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = path.join(directory, 'aws_balancer.conf');
  const text = `[LOAD TABLE]
1 0 1
[MASTER]
name = web1
farm = live
poll_interval = 1
server_status_url = http://localhost/server-status
[SLAVE]
instance_type = m7g.large
spot_bid = 0.1
region = us-west-2
image_id = ${named}   # of the slaves
`;
  writeFileSync(file, text);
  const { config } = parseConfig(file, text);
  assert.ok(config !== undefined);
  const said: string[] = [];
  const clock = createVirtualClock();
  const note = (line: string) => void said.push(line);
  await conclude(
    { config, site: { name: 'web1', reach: 'public', image: named }, keep },
    await presentAt(file),
    made,
    {
      ec2: account.ec2,
      clock,
      report: { say: note, warn: note, detail: note, progress: note },
      phases: createPhases(clock),
    },
  );
  const written = readFileSync(file, 'utf8');
  assert.equal(written, text.replace(/^image_id = .*$/m, /^image_id = .*$/m.exec(written)?.[0] ?? ''));
  assert.match(written, new RegExp(`^image_id = ${made} +# of the slaves$`, 'm'));
  assert.equal(readFileSync(`${file}.bak`, 'utf8'), text);
  return said.join('\n');
}

describe('at the end of image', () => {
  const cases: readonly [keep: number, named: string, left: readonly number[]][] = [
    // The one before is in the backup of the configuration.
    [1, 'ami-5', [5, 6]],
    [2, 'ami-5', [5, 6]],
    [3, 'ami-5', [4, 5, 6]],
    [1, 'ami-2', [2, 6]],
    [3, 'ami-2', [2, 4, 5, 6]],
    [6, 'ami-5', [1, 2, 3, 4, 5, 6]],
    [1000, 'ami-5', [1, 2, 3, 4, 5, 6]],
    [1, '', [6]],
  ];
  for (const [keep, named, left] of cases) {
    test(`--keep ${keep} where the configuration names ${named || 'none'} leaves ${left.join(', ')}, and their snapshots`, async t => {
      const account = accountWith(6);
      const said = await concludeWith(t, account, { keep, named, made: 'ami-6' });
      assert.deepEqual(account.left(), left);
      assert.deepEqual(account.stored(), left);
      assert.match(said, /^the image is ami-6$/m);
      assert.equal(said.match(/^removed old image ami-/gm)?.length ?? 0, 6 - left.length);
    });
  }

  test('an old image that may not be removed is a warning: the new one is named all the same', async t => {
    const account = accountWith(3, 'DeregisterImage');
    const said = await concludeWith(t, account, { keep: 1, named: 'ami-2', made: 'ami-3' });
    assert.deepEqual(account.left(), [1, 2, 3]);
    assert.match(said, /old images could not be removed: You may not.*the next image tries again/);
  });
});
