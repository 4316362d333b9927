import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Ec2 } from '../../../src/ec2/api.ts';
import {
  type Architecture,
  findGivenImage,
  findOfficialImage,
  officialImages,
  targetsOf,
} from '../../../src/image/plan/base.ts';

type Fits = [architecture: Architecture | undefined];

const IMAGE = {
  Architecture: 'x86_64',
  RootDeviceName: '/dev/xvda',
  BlockDeviceMappings: [
    { DeviceName: '/dev/xvda', Ebs: { SnapshotId: 'snap-1' } },
    { DeviceName: '/dev/sdb', VirtualName: 'ephemeral0' },
  ],
};

function account(images: readonly object[], asked: unknown[] = []): Ec2 {
  return (async (action: string, request: unknown) => {
    asked.push(request);
    if (action !== 'DescribeInstanceTypes') return { Images: images };
    return {
      InstanceTypes: [
        { InstanceType: 'm5.large', ProcessorInfo: { SupportedArchitectures: ['x86_64'] } },
        { InstanceType: 'm1.large', ProcessorInfo: { SupportedArchitectures: ['i386', 'x86_64'] } },
        { InstanceType: 'm7g.large', ProcessorInfo: { SupportedArchitectures: ['arm64'] } },
        { InstanceType: 'mac1.metal', ProcessorInfo: { SupportedArchitectures: ['x86_64_mac'] } },
      ],
    };
  }) as Ec2;
}

describe('the image to start from', () => {
  test("is the newest of the distribution's own account, of its release and architecture", async () => {
    const asked: unknown[] = [];
    const ec2 = account(
      [
        { ...IMAGE, ImageId: 'ami-1', Name: 'debian-12-amd64-1', CreationDate: '2026-01-01T00:00:00.000Z' },
        { ...IMAGE, ImageId: 'ami-2', Name: 'debian-12-amd64-2', CreationDate: '2026-02-01T00:00:00.000Z' },
      ],
      asked,
    );
    const found = await findOfficialImage(ec2, { id: 'debian', version: '12' }, 'x86_64');
    assert.deepEqual(found, {
      imageId: 'ami-2',
      name: 'debian-12-amd64-2',
      rootDevice: '/dev/xvda',
      devices: ['/dev/xvda'],
      login: 'admin',
    });
    assert.deepEqual(asked, [
      {
        Owners: ['136693071363'],
        Filters: [
          { Name: 'name', Values: ['debian-12-amd64-*'] },
          { Name: 'state', Values: ['available'] },
          { Name: 'architecture', Values: ['x86_64'] },
        ],
      },
    ]);
  });

  test('is Canonical’s for Ubuntu, whatever kind of volume it is published with', async () => {
    const asked: unknown[] = [];
    const ec2 = account([{ ...IMAGE, ImageId: 'ami-1' }], asked);
    const { login } = await findOfficialImage(ec2, { id: 'ubuntu', version: '24.04' }, 'arm64');
    assert.equal(login, 'ubuntu');
    assert.match(
      JSON.stringify(asked),
      /"099720109477".*"ubuntu\/images\/hvm-ssd\*\/ubuntu-\*-24\.04-arm64-server-\*"/,
    );
  });

  // Names as the two publish them.
  const published: readonly [name: string, id: 'debian' | 'ubuntu', version: string, ...Fits][] = [
    ['debian-12-amd64-20260201-1', 'debian', '12', 'x86_64'],
    ['debian-12-arm64-20260201-1', 'debian', '12', 'arm64'],
    ['debian-12-backports-amd64-20260201-1', 'debian', '12', undefined],
    ['debian-13-amd64-20260201-1', 'debian', '12', undefined],
    ['ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20260115', 'ubuntu', '24.04', 'x86_64'],
    ['ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-arm64-server-20260115', 'ubuntu', '24.04', 'arm64'],
    ['ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20260115', 'ubuntu', '22.04', 'x86_64'],
    ['ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-arm64-server-20240701', 'ubuntu', '22.04', 'arm64'],
    [
      'ubuntu/images-testing/hvm-ssd-gp3/ubuntu-noble-daily-amd64-server-20260115',
      'ubuntu',
      '24.04',
      undefined,
    ],
    [
      'ubuntu-minimal/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-minimal-20260115',
      'ubuntu',
      '24.04',
      undefined,
    ],
    [
      'ubuntu-pro-server/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-pro-server-20260115',
      'ubuntu',
      '24.04',
      undefined,
    ],
  ];
  for (const [name, id, version, expected] of published) {
    test(`${expected === undefined ? 'is not' : 'may be'} "${name}", for ${id} ${version}${expected === undefined ? '' : ` on ${expected}`}`, () => {
      for (const architecture of ['x86_64', 'arm64'] as const) {
        const { name: pattern } = officialImages({ id, version }, architecture);
        // A filter of EC2: * stands for any characters, slashes too.
        const fits = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`).test(name);
        assert.equal(fits, architecture === expected);
      }
    });
  }

  test('is refused where there is none, with what to do', async () => {
    await assert.rejects(
      findOfficialImage(account([]), { id: 'debian', version: '12' }, 'arm64'),
      /account 136693071363 has no image named "debian-12-arm64-\*" in this region; .*--from/,
    );
  });

  for (const [what, image, message] of [
    ['for another architecture', { ...IMAGE, Architecture: 'arm64' }, /ami-1 is for arm64.*x86_64/],
    ['without an EBS root', { ...IMAGE, RootDeviceName: '/dev/sda1' }, /no EBS volume as its root/],
  ] as const) {
    test(`is refused when --from names one ${what}`, async () => {
      const ec2 = account([{ ...image, ImageId: 'ami-1' }]);
      await assert.rejects(findGivenImage(ec2, 'ami-1', 'admin', 'x86_64'), message);
    });
  }

  test('is for the architecture of the first instance type; others of it count as well', async () => {
    assert.deepEqual(await targetsOf(account([]), ['m5.large', 'm7g.large', 'm1.large']), {
      architecture: 'x86_64',
      instanceTypes: ['m5.large', 'm1.large'],
      others: ['m7g.large'],
    });
    assert.deepEqual(await targetsOf(account([]), ['m7g.large', 'm5.large']), {
      architecture: 'arm64',
      instanceTypes: ['m7g.large'],
      others: ['m5.large'],
    });
    await assert.rejects(
      targetsOf(account([]), ['mac1.metal']),
      /mac1\.metal is neither x86_64 nor arm64, so no image/,
    );
  });
});
