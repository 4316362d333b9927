import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { isAnswerTo, isErrorAnswer, LARGEST_ANSWER } from '../../src/ec2/answer.ts';
import type { Ec2Action } from '../../src/ec2/api.ts';
import { COMMANDS } from '../../src/ec2/commands.ts';
import { type Ec2Error, FOREIGN_ANSWER, isEc2Error, mayHaveHappened } from '../../src/ec2/errors.ts';
import { createSdkEc2, type SdkEc2 } from '../../src/ec2/sdk.ts';

const ACTIONS = Object.keys(COMMANDS) as Ec2Action[];

/** The least that EC2 answers with something in it, by action; the others answer that they were done. */
const INNER: Partial<Record<Ec2Action, string>> = {
  CreateFleet:
    '<fleetId>fleet-1</fleetId><fleetInstanceSet><item><instanceIds><item>i-1</item></instanceIds></item></fleetInstanceSet>',
  CreateLaunchTemplate: '<launchTemplate><launchTemplateId>lt-1</launchTemplateId></launchTemplate>',
  CreateSecurityGroup: '<groupId>sg-1</groupId>',
  CreateSnapshots:
    '<snapshotSet><item><snapshotId>snap-1</snapshotId><volumeId>vol-1</volumeId></item></snapshotSet>',
  DescribeImages: '<imagesSet><item><imageId>ami-1</imageId></item></imagesSet>',
  DescribeInstances:
    '<reservationSet><item><instancesSet><item><instanceId>i-1</instanceId><instanceState><name>running</name></instanceState></item></instancesSet></item></reservationSet>',
  DescribeInstanceTypes:
    '<instanceTypeSet><item><instanceType>m5.large</instanceType></item></instanceTypeSet>',
  DescribeKeyPairs: '<keySet><item><keyPairId>key-1</keyPairId></item></keySet>',
  DescribeLaunchTemplates:
    '<launchTemplates><item><launchTemplateId>lt-1</launchTemplateId></item></launchTemplates>',
  DescribeRouteTables: '<routeTableSet><item><routeTableId>rtb-1</routeTableId></item></routeTableSet>',
  DescribeAvailabilityZones:
    '<availabilityZoneInfo><item><zoneName>a</zoneName></item></availabilityZoneInfo>',
  DescribeSecurityGroups: '<securityGroupInfo><item><groupId>sg-1</groupId></item></securityGroupInfo>',
  DescribeSnapshots:
    '<snapshotSet><item><snapshotId>snap-1</snapshotId><status>completed</status></item></snapshotSet>',
  DescribeSpotInstanceRequests:
    '<spotInstanceRequestSet><item><spotInstanceRequestId>sir-1</spotInstanceRequestId></item></spotInstanceRequestSet>',
  DescribeSpotPriceHistory:
    '<spotPriceHistorySet><item><instanceType>m5.large</instanceType><spotPrice>0.1</spotPrice></item></spotPriceHistorySet>',
  DescribeSubnets: '<subnetSet><item><subnetId>subnet-1</subnetId><vpcId>vpc-1</vpcId></item></subnetSet>',
  DescribeVolumes: '<volumeSet><item><volumeId>vol-1</volumeId><status>in-use</status></item></volumeSet>',
  DescribeVolumesModifications:
    '<volumeModificationSet><item><volumeId>vol-1</volumeId></item></volumeModificationSet>',
  GetConsoleOutput: '<instanceId>i-1</instanceId>',
  GetEbsDefaultKmsKeyId: '<kmsKeyId>alias/aws/ebs</kmsKeyId>',
  GetEbsEncryptionByDefault: '<ebsEncryptionByDefault>false</ebsEncryptionByDefault>',
  ModifyVolume: '<volumeModification><volumeId>vol-1</volumeId></volumeModification>',
  RunInstances: '<instancesSet><item><instanceId>i-1</instanceId></item></instancesSet>',
  TerminateInstances: '<instancesSet><item><instanceId>i-1</instanceId></item></instancesSet>',
} as Partial<Record<Ec2Action, string>>;

const HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n';
const NAMESPACE = 'http://ec2.amazonaws.com/doc/2016-11-15/';

function answerTo(action: string, inner = '<return>true</return>', namespace = NAMESPACE): string {
  return `${HEAD}<${action}Response xmlns="${namespace}">\n  <requestId>r-1</requestId>\n  ${inner}\n</${action}Response>\n`;
}

const PORTAL = '<!DOCTYPE html><html><head><title>Sign in</title></head><body>Free Wi-Fi</body></html>';

/** Bodies of an HTTP 200 that are not EC2's answer to the action, or not all of it. */
const FOREIGN: Readonly<Record<string, (action: Ec2Action) => string>> = {
  'a page of a captive portal': () => PORTAL,
  'XHTML, which is XML': () => `${HEAD}<html xmlns="http://www.w3.org/1999/xhtml"><body/></html>`,
  nothing: () => '',
  'white space': () => ' \n '.repeat(1000),
  JSON: () => '{"Reservations": []}',
  'the answer of another service': action =>
    answerTo(action, INNER[action], 'https://sts.amazonaws.com/doc/2011-06-15/'),
  'the answer to another action': action =>
    answerTo(action === ('DescribeVpcs' as string) ? 'X' : 'DescribeVpcs', INNER[action]),
  'an error with status 200': () =>
    `${HEAD}<Response><Errors><Error><Code>InternalError</Code><Message>x</Message></Error></Errors></Response>`,
  'an answer without a namespace': action => `${HEAD}<${action}Response>${INNER[action]}</${action}Response>`,
  'half an answer': action => answerTo(action, INNER[action]).slice(0, -25),
  'only its beginning': action => answerTo(action, INNER[action]).slice(0, 60),
  'an answer whose inside is broken': action => answerTo(action, '<a><b></a>'),
};

describe('an HTTP 200', () => {
  let respond: (response: ServerResponse, action: string) => void = response => response.end();
  let sdk: SdkEc2;
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    respond(response, new URLSearchParams(body).get('Action') ?? '');
  });

  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    process.env.AWS_ENDPOINT_URL_EC2 = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    sdk = createSdkEc2({
      region: 'us-west-2',
      credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'x' },
    });
  });
  after(() => {
    delete process.env.AWS_ENDPOINT_URL_EC2;
    sdk.close();
    server.closeAllConnections();
    server.close();
  });

  const call = (action: Ec2Action) => sdk.ec2(action, {} as never);

  async function failureOf(action: Ec2Action): Promise<Ec2Error> {
    const error: unknown = await call(action).then(
      answer => assert.fail(`${action} was believed: ${JSON.stringify(answer)}`),
      error => error,
    );
    assert.ok(isEc2Error(error), String(error));
    return error;
  }

  for (const [what, body] of Object.entries(FOREIGN)) {
    it(`with ${what} is a failed call, whatever the action`, async () => {
      respond = (response, action) => response.end(body(action as Ec2Action));
      for (const action of ACTIONS) {
        const error = await failureOf(action);
        assert.equal(error.code, FOREIGN_ANSWER, `${action}: ${error.message}`);
        // A launch is then repeated with its token, and never taken for one that has not happened.
        assert.ok(mayHaveHappened(error));
        assert.ok(error.message.length < 250, error.message);
      }
    });
  }

  it('with a whole answer of EC2 is believed', async () => {
    respond = (response, action) => response.end(answerTo(action, INNER[action as Ec2Action]));
    for (const action of ACTIONS) await call(action);
  });

  it('without the list that was asked for is a failed call; an empty list is an answer', async () => {
    for (const action of ACTIONS.filter(it => it.startsWith('Describe'))) {
      respond = response => response.end(answerTo(action, ''));
      assert.equal((await failureOf(action)).code, FOREIGN_ANSWER);
      const set = /^<(\w+)>/.exec(INNER[action] ?? '')?.[1];
      for (const empty of [`<${set}/>`, `<${set}></${set}>`, `<${set}>\n  </${set}>`]) {
        respond = response => response.end(answerTo(action, empty));
        await call(action);
      }
    }
  });

  it('with something that has no id is a failed call', async () => {
    for (const action of ACTIONS.filter(it => INNER[it] !== undefined)) {
      // The innermost elements go: the ids and states.
      const without = INNER[action]?.replaceAll(/<(\w+)>[^<]*<\/\1>/g, '<other>1</other>');
      respond = response => response.end(answerTo(action, without));
      assert.equal((await failureOf(action)).code, FOREIGN_ANSWER, action);
    }
  });

  it('with a body that does not end is given up at its largest size', async () => {
    let sent = 0;
    respond = response => {
      response.write(`${HEAD}<DescribeInstancesResponse xmlns="${NAMESPACE}">`);
      const blanks = Buffer.alloc(1024 * 1024, ' ');
      const more = () => {
        while (!response.destroyed && response.write(blanks)) sent += blanks.length;
        sent += blanks.length;
      };
      response.on('drain', more);
      more();
    };
    const error = await failureOf('DescribeInstances');
    assert.match(error.message, /larger than 16 MB/);
    assert.ok(sent < 4 * LARGEST_ANSWER, `${sent} bytes were sent`);
  });

  it('whose connection breaks in the middle of the body is a failed call', async () => {
    respond = response => {
      response.writeHead(200, { 'content-length': 1000 });
      response.write(answerTo('DescribeInstances', INNER.DescribeInstances), () => response.destroy());
    };
    assert.ok(mayHaveHappened(await failureOf('DescribeInstances')));
  });

  for (const [status, body, code] of [
    [302, PORTAL, FOREIGN_ANSWER],
    [403, PORTAL, FOREIGN_ANSWER],
    [511, PORTAL, FOREIGN_ANSWER],
    [503, '', FOREIGN_ANSWER],
    [503, 'upstream connect error', FOREIGN_ANSWER],
    [400, `${HEAD}<Response><Errors><Error><Code>InvalidFleetConfig</Code>`, FOREIGN_ANSWER],
    [
      503,
      `${HEAD}<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>Slow</Message></Error></Errors><RequestID>r</RequestID></Response>`,
      'RequestLimitExceeded',
    ],
  ] as const) {
    it(`but HTTP ${status} with ${body.slice(0, 70) || 'nothing'}: ${code}`, async () => {
      respond = response => response.writeHead(status, { location: '/' }).end(body);
      const error = await failureOf('DescribeInstances');
      assert.deepEqual([error.code, error.httpStatus], [code, status]);
    });
  }

  it('of a hostile size or shape is read in linear time', () => {
    for (const unit of [' ', '<', '<a>', '<a ', '\n', '<?xml ', '<reservationSet>', 'x="']) {
      const long = unit.repeat(Math.ceil(8_000_000 / unit.length));
      for (const xml of [long, answerTo('DescribeInstances', long)]) {
        isAnswerTo('DescribeInstances', xml);
        isErrorAnswer(xml);
      }
    }
  });

  it('of a hostile shape fails or is read in seconds: the parser is linear', async () => {
    for (const unit of [
      ' ',
      '<a>',
      '<groupSet>',
      '<!--',
      '<a x="',
      '&amp;',
      '<![CDATA[',
      '<a></a>',
      '<?',
      '<!DOCTYPE x>',
    ]) {
      respond = response =>
        response.end(answerTo('DescribeInstances', unit.repeat(Math.ceil(4_000_000 / unit.length))));
      await failureOf('DescribeInstances');
    }
  });
});
