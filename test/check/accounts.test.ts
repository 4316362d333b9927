import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { bareOf } from '../../src/check/topics/image.ts';
import { network } from '../../src/check/topics/network.ts';
import type { World } from '../../src/check/world.ts';
import { requireCredentials } from '../../src/cli/ask-keys.ts';
import { parseConfig } from '../../src/config/load.ts';
import type { Ec2 } from '../../src/ec2/api.ts';
import { createSdkEc2 } from '../../src/ec2/sdk.ts';

describe("check, of the master's own AMI", () => {
  const rows: [what: string, image: Parameters<typeof bareOf>[0], isOwn: boolean, warned: boolean][] = [
    ["Debian's plain one", { OwnerId: '136693071363', Name: 'debian-12-amd64' }, true, true],
    ["Ubuntu's plain one", { OwnerId: '099720109477', Name: 'ubuntu-24.04' }, true, true],
    ["Amazon's own", { OwnerId: '137112412989', ImageOwnerAlias: 'amazon', Name: 'al2023' }, true, true],
    ["the administrator's", { OwnerId: '123456789012', Name: 'gbrowse' }, true, false],
    ["Debian's, which image_id names", { OwnerId: '136693071363', Name: 'debian-12' }, false, false],
  ];
  for (const [what, image, isOwn, warned] of rows) {
    it(`${what}: ${warned ? 'warns that it lacks GBrowse, and names the command that makes one' : 'no warning'}`, () => {
      const found = bareOf(image, isOwn, 'F:9');
      assert.deepEqual(
        found.map(it => it.verdict),
        warned ? ['warning'] : [],
      );
      if (warned)
        assert.match(
          `${found[0]?.message} ${found[0]?.fix}`,
          /lacks .*GBrowse.*gbrowse-aws-balancer image.*F:9/,
        );
    });
  }
});

describe('check, of a security group by name', () => {
  const text = (group: string) =>
    `[LOAD TABLE]\n1 0 1\n[MASTER]\npoll_interval = 1\nserver_status_url = http://localhost/server-status\n[SLAVE]\ninstance_type = m5.large\nspot_bid = 0.1\nsecurity_group = ${group}\n`;

  /** A master on EC2 whose VPC has one group, which lets a network connect to port 8101. */
  function worldWith(group: string, cidr: string): World {
    const { config } = parseConfig('F', text(group));
    const there = {
      GroupId: 'sg-1',
      GroupName: 'gbrowse slaves',
      VpcId: 'vpc-1',
      IpPermissions: [{ IpProtocol: 'tcp', FromPort: 8101, ToPort: 8101, IpRanges: [{ CidrIp: cidr }] }],
    };
    const ec2: Ec2 = async (_action, request) => {
      const { Filters = [], GroupIds = [] } = request as {
        Filters?: { Name: string; Values: string[] }[];
        GroupIds?: string[];
      };
      const fits =
        GroupIds.includes('sg-1') ||
        (Filters.some(it => it.Name === 'group-name' && it.Values[0] === 'gbrowse slaves') &&
          Filters.some(it => it.Name === 'vpc-id' && it.Values[0] === 'vpc-1'));
      return { SecurityGroups: fits ? [there] : [] } as never;
    };
    // What the topic asks for, and nothing else.
    return {
      site: async () => ({ name: 'm', reach: 'private', image: 'ami-1', address: '10.0.0.9', vpc: 'vpc-1' }),
      config: async () => config,
      placements: async () => [{ subnetId: 'subnet-1', vpcId: 'vpc-1', availabilityZone: 'us-west-2a' }],
      account: async () => ({ ec2, region: 'us-west-2' }),
      place: async (_section: string, option: string) => `F, ${option}`,
    } as unknown as World;
  }

  const rows: [group: string, cidr: string, verdict: string, message: RegExp | undefined][] = [
    ['gbrowse slaves', '10.0.0.9/32', 'ok', undefined],
    ['gbrowse slaves', '10.0.0.8/32', 'problem', /sg-1 does not let the master connect to 8101/],
    ['gbrowse slaves', '0.0.0.0/0', 'problem', /sg-1 lets everybody connect to 8101/],
  ];
  for (const [group, cidr, verdict, message] of rows) {
    it(`"${group}", which admits ${cidr}: ${verdict}`, async () => {
      const found = await network.check(worldWith(group, cidr));
      assert.equal(
        found.some(it => it.verdict === 'problem'),
        verdict === 'problem',
        JSON.stringify(found),
      );
      if (message !== undefined)
        assert.ok(
          found.some(it => message.test(it.message)),
          JSON.stringify(found),
        );
    });
  }
});

describe('the settings of a profile', () => {
  it('name the endpoint of EC2 that check reaches for, as the SDK does', async t => {
    const directory = mkdtempSync(path.join(tmpdir(), 'profile-'));
    const file = path.join(directory, 'config');
    writeFileSync(
      file,
      '[profile lab]\nregion = us-west-2\nservices = lab\n[services lab]\nec2 =\n  endpoint_url = https://ec2.lab.example.org:8443\n',
    );
    const before = { ...process.env };
    Object.assign(process.env, { AWS_CONFIG_FILE: file, AWS_PROFILE: 'lab' });
    const sdk = createSdkEc2({});
    t.after(() => {
      sdk.close();
      for (const name of ['AWS_CONFIG_FILE', 'AWS_PROFILE']) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
      rmSync(directory, { recursive: true });
    });
    assert.equal(await sdk.region(), 'us-west-2');
    assert.equal((await sdk.endpoint()).href, 'https://ec2.lab.example.org:8443/');
  });
});

describe('credentials that the SDK finds and cannot use', () => {
  const expired =
    'The SSO session associated with this profile has expired. To refresh this SSO session run aws sso login with the corresponding profile.';

  it('end run with the reason of the SDK, not with a list of places to put keys', async () => {
    const sdk = createSdkEc2({ region: 'us-west-2' });
    const failing = { ...sdk, findCredentials: () => Promise.reject(new Error(expired)) };
    await assert.rejects(requireCredentials(failing), error => {
      assert.ok(error instanceof Error);
      assert.equal(error.message, `the AWS credentials cannot be used: ${expired}`);
      return true;
    });
    sdk.close();
  });
});
