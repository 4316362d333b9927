import assert from 'node:assert/strict';
import { test } from 'node:test';
import { credentialsIn, openEnvironment, secretEnvironment } from '../../src/daemon/environment.ts';

const SECRET = {
  EC2_ACCESS_KEY: 'a',
  EC2_SECRET_KEY: 'b',
  AWS_ACCESS_KEY_ID: 'c',
  AWS_SECRET_ACCESS_KEY: 'd',
  AWS_SESSION_TOKEN: 'e',
  AWS_CONTAINER_AUTHORIZATION_TOKEN: 'f',
  AWS_REGION: 'us-west-2',
  AWS_ENDPOINT_URL_EC2: 'http://localhost:5000',
  DB_PASSWORD: 'g',
  npm_config_token: 'h',
  HTTPS_PROXY: 'http://user:word@proxy:3128',
};
const OPEN = {
  PATH: '/usr/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
  http_proxy: 'http://proxy:3128',
  APACHE_CONFDIR: '/etc/apache2',
  NODE_EXTRA_CA_CERTS: '/etc/ca.pem',
};
const NODE = { NODE_OPTIONS: '--inspect', NODE_V8_COVERAGE: '/tmp/c', NODE_CHANNEL_FD: '3' };

test('a child gets harmless variables; secrets and those of AWS go by message; those of Node go nowhere', () => {
  const environment = { ...SECRET, ...OPEN, ...NODE, UNSET: undefined };
  assert.deepEqual(openEnvironment(environment), OPEN);
  assert.deepEqual(secretEnvironment(environment), SECRET);
});

test('the values that no log may show are the credentials, not where they are', () => {
  const places = {
    AWS_WEB_IDENTITY_TOKEN_FILE: '/t',
    AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://localhost/',
  };
  const { AWS_REGION, AWS_ENDPOINT_URL_EC2, HTTPS_PROXY, ...credentials } = SECRET;
  assert.deepEqual(credentialsIn({ ...SECRET, ...OPEN, ...places }), Object.values(credentials));
});
