import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isSlimmed, slim } from '../../src/ec2/slim.ts';

const INSTANCE = `<item><instanceId>i-1</instanceId><imageId>ami-1</imageId><instanceState><code>16</code><name>running</name></instanceState><groupSet/><blockDeviceMapping>
<item><deviceName>/dev/xvda</deviceName></item></blockDeviceMapping><networkInterfaceSet><item><privateIpAddress>10.9.9.9</privateIpAddress><groupSet><item><groupId>sg-1</groupId></item></groupSet><tagSet><item><key>a</key><value>b</value></item></tagSet></item></networkInterfaceSet><privateIpAddress>10.0.0.1</privateIpAddress><tagSet><item><key>Name</key><value>GBrowse &lt;Slave&gt;</value></item></tagSet></item>`;

describe('a slimmed answer', () => {
  it('keeps what the balancer looks at and drops the rest, nested elements of the same names included', () => {
    assert.equal(
      slim('DescribeInstances', INSTANCE),
      '<item><instanceId>i-1</instanceId><imageId>ami-1</imageId><instanceState><code>16</code><name>running</name></instanceState><privateIpAddress>10.0.0.1</privateIpAddress><tagSet><item><key>Name</key><value>GBrowse &lt;Slave&gt;</value></item></tagSet></item>',
    );
  });

  it('is as it was for actions that are not called every round', () => {
    assert.equal(isSlimmed('DescribeImages'), false);
    assert.equal(slim('DescribeImages', '<imageId>ami-1</imageId>'), '<imageId>ami-1</imageId>');
  });
});
