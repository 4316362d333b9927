import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { Ask } from '../../src/setup/ask.ts';
import { TAKE_WHAT_WAS_FOUND } from '../../src/setup/ask.ts';
import { useProfile } from '../../src/setup/ask-account.ts';
import { askForName } from '../../src/setup/ask-name.ts';
import { askForTypes } from '../../src/setup/ask-types.ts';
import type { Files } from '../../src/setup/look.ts';
import { planChanges } from '../../src/setup/plan.ts';
import { findStart } from '../../src/setup/start.ts';
import type { SetupTools } from '../../src/setup/tools.ts';
import { ownTags, tagged } from '../../src/spot/tags.ts';
import { createWorld } from '../fake-aws/ec2/world.ts';

const root = path.resolve(import.meta.dirname, '../..');
const example = readFileSync(path.join(root, 'packaging/aws_balancer.conf'), 'utf8');
const original = readFileSync(path.join(root, 'test/config/fixtures/manual.conf'), 'utf8');
const SERVICE = '/etc/default/gbrowse-aws-balancer';

/** Answers with what it is told, in turn, and remembers what it was asked and what was said. */
function tools(hostName: string, answers?: readonly (string | boolean)[]) {
  const asked: { readonly question: string; readonly found: unknown }[] = [];
  const said: string[] = [];
  const left = [...(answers ?? [])];
  const scripted: Ask = {
    confirm: async (question, found) => {
      asked.push({ question, found });
      return left.shift() === true;
    },
    text: async (question, found) => {
      asked.push({ question, found });
      return `${left.shift()}`;
    },
    key: async () => undefined,
  };
  const env: NodeJS.ProcessEnv = { EC2_ACCESS_KEY: 'AKIAOLD', EC2_SECRET_KEY: 'old' };
  const all: SetupTools = {
    ask: answers === undefined ? TAKE_WHAT_WAS_FOUND : scripted,
    say: line => void said.push(line),
    env,
    hostName,
    readMetadata: async () => undefined,
  };
  return { ...all, asked, said };
}

function filesWith(service: string, more: Partial<Files> = {}): Files {
  return {
    configuration: { file: '/etc/gbrowse2/aws_balancer.conf', text: example },
    example,
    isDecided: false,
    originals: [],
    service: { file: SERVICE, text: service },
    oldSettings: [],
    ...more,
  };
}

describe('the name of the master', () => {
  it('is no question where no other machine can be expected to have the host name', async () => {
    const world = createWorld();
    const asking = tools('genome.example.org', []);
    assert.equal(await askForName(undefined, world.ec2, asking), undefined);
    assert.deepEqual(asking.asked, []);
  });

  it('is asked for where many machines have the host name, which is offered', async () => {
    const asking = tools('debian', ['fly']);
    assert.equal(await askForName(undefined, undefined, asking), 'fly');
    assert.deepEqual(
      asking.asked.map(it => it.found),
      ['debian'],
    );
    assert.equal(await askForName(undefined, undefined, tools('debian')), 'debian');
  });

  it('is asked for where the account has slaves of that name, which is not offered; --yes needs --name then', async () => {
    const world = createWorld();
    await world.launch(2, { TagSpecifications: [tagged('instance', ownTags('genome'))] });
    const asking = tools('genome', ['genome-2']);
    assert.equal(await askForName(undefined, world.ec2, asking), 'genome-2');
    assert.match(asking.said.join(), /"genome", the host name, already has 2 slaves in this account/);
    assert.deepEqual(
      asking.asked.map(it => it.found),
      [undefined],
    );
    await assert.rejects(askForName(undefined, world.ec2, tools('genome')), /nothing was found; give --name/);
    assert.equal(await askForName('genome', world.ec2, tools('genome')), 'genome');
  });
});

describe('--profile', () => {
  const KEYS = 'ACCESS_KEY=AKIAOLD\nSECRET_KEY=old\n';
  const options = { dryRun: false, profile: 'site' };

  it('takes the keys out of the settings, which would win over it, and says so in its question', async () => {
    const asking = tools('m', [true]);
    const removesKeys = await useProfile(options, filesWith(KEYS), asking);
    assert.equal(removesKeys, true);
    assert.match(
      asking.asked[0]?.question ?? '',
      /keys in \/etc\/default\S+ win over a profile\. Remove them/,
    );
    assert.deepEqual(asking.env, { AWS_PROFILE: 'site' });
    const [change] = planChanges({ ...filesWith(KEYS), base: example }, { profile: 'site', removesKeys });
    assert.equal(change?.after, 'ACCESS_KEY=\nSECRET_KEY=\nexport AWS_PROFILE=site\n');
  });

  it('is refused where the keys are to stay, and beside keys on the command line', async () => {
    await assert.rejects(
      useProfile(options, filesWith(KEYS), tools('m', [false])),
      /the profile site would not be used beside the keys/,
    );
    await assert.rejects(
      useProfile({ ...options, accessKey: 'AKIANEW' }, filesWith(''), tools('m', [])),
      /keys win over a profile/,
    );
  });

  it('asks nothing where the settings hold only the placeholders of the package', async () => {
    const settings = readFileSync(path.join(root, 'packaging/default'), 'utf8');
    const asking = tools('m', []);
    assert.equal(await useProfile(options, filesWith(settings), asking), false);
    assert.deepEqual(asking.asked, []);
  });
});

describe('the instance types that are offered', () => {
  const rows: [what: string, files: Partial<Files>, offered: RegExp, bid: string][] = [
    ['a new configuration: those of today', {}, /^m(5|6g)\.large /, '0.10'],
    [
      'a configuration of the Perl original that names no type of today: those of today',
      {
        originals: [{ file: 'F', text: original.replace(/^external_ip *=.*$/m, 'external_ip = 192.0.2.1') }],
      },
      /^m(5|6g)\.large /,
      '0.10',
    ],
    [
      'one that names types of today: these',
      {
        originals: [
          { file: 'F', text: original.replace(/^instance_type *=.*$/m, 'instance_type = c5.xlarge') },
        ],
      },
      /^c5\.xlarge$/,
      '0.10',
    ],
    [
      'a configuration that somebody has edited: its own, and its bid',
      {
        isDecided: true,
        configuration: {
          file: 'F',
          text: example
            .replace(/^instance_type *=.*$/m, 'instance_type = r5.large')
            .replace(/^spot_bid *=.*$/m, 'spot_bid = 0.07'),
        },
      },
      /^r5\.large$/,
      '0.07',
    ],
  ];
  for (const [what, files, offered, bid] of rows) {
    it(what, async () => {
      const { decided } = findStart(filesWith('', files), () => {});
      const asking = tools('m', ['m5.large c5.large r5.large', '0.2']);
      const { types, spotBid } = await askForTypes({ dryRun: false }, decided, undefined, asking);
      assert.match(`${asking.asked[0]?.found}`, offered);
      assert.equal(asking.asked[1]?.found, bid);
      assert.deepEqual([types, spotBid], [['m5.large', 'c5.large', 'r5.large'], 0.2]);
    });
  }

  it('the types of the package’s example count as nobody’s choice where setup ran before there were keys', () => {
    const text = example.replace(/^region *=.*$/m, 'region = eu-west-1');
    const files = filesWith('', { isDecided: true, configuration: { file: 'F', text } });
    const { decided } = findStart(files, () => {});
    assert.deepEqual(
      [decided.region, decided.instance_type, decided.spot_bid],
      ['eu-west-1', undefined, undefined],
    );
  });

  it('the types of the package’s example count as nobody’s choice after the Perl original’s settings are taken over', () => {
    const text = original.replace(/^external_ip *=.*$/m, 'external_ip = 192.0.2.1');
    const { decided } = findStart(filesWith('', { originals: [{ file: 'F', text }] }), () => {});
    assert.deepEqual(decided, { external_ip: '192.0.2.1', region: 'us-west-2' });
  });
});
