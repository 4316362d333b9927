import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { type ConnectProxy, startConnectProxy } from '../peers/connect-proxy.ts';
import { type Ec2StandIn, ec2Missing, startEc2 } from '../peers/ec2-stand-in.ts';
import { type ModStatus, startModStatus } from '../peers/mod-status.ts';
import { createMaster } from './world.ts';

const OPENSSL = '/usr/bin/openssl';
const skip = existsSync(OPENSSL) ? ec2Missing() : `${OPENSSL} is not installed`;

let ec2: Ec2StandIn;
let apache: ModStatus;
let proxy: ConnectProxy;
const directory = mkdtempSync(path.join(tmpdir(), 'tls-'));
const certificate = path.join(directory, 'certificate.pem');
const key = path.join(directory, 'key.pem');
before(async () => {
  if (skip !== false) return;
  execFileSync(
    OPENSSL,
    [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
      ...['-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', certificate],
    ],
    { stdio: 'pipe' },
  );
  [ec2, apache, proxy] = await Promise.all([
    startEc2({ certificate, key }),
    startModStatus(6),
    startConnectProxy(),
  ]);
});
after(async () => {
  await Promise.all([ec2?.stop(), apache?.stop(), proxy?.stop()]);
  rmSync(directory, { recursive: true });
});

test('HTTPS_PROXY: EC2 is reached through it; Apache and the slaves are not', { skip }, async t => {
  const master = createMaster(t, { ec2, name: 'proxied', statusUrl: apache.url });
  const { tlsEndpoint = '' } = ec2;
  const balancer = master.run(['--conf', master.confFile], {
    ...master.environment,
    AWS_ENDPOINT_URL_EC2: tlsEndpoint,
    NODE_EXTRA_CA_CERTS: certificate,
    HTTPS_PROXY: proxy.url,
    HTTP_PROXY: proxy.url,
  });
  await master.serving(2);
  balancer.signal('SIGTERM');
  assert.equal(await balancer.ended(), 0);
  assert.deepEqual(await master.account.remains(), []);
  assert.ok(proxy.asked.length > 0);
  assert.deepEqual([...new Set(proxy.asked)], [new URL(tlsEndpoint).host]);
});
