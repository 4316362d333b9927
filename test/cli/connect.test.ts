import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { useProxy } from '../../src/cli/connect.ts';
import { parseConfig } from '../../src/config/load.ts';

const { config } = parseConfig(
  'F',
  '[LOAD TABLE]\n1 0 1\n[MASTER]\npoll_interval = 1\nserver_status_url = http://localhost/server-status\n[SLAVE]\ninstance_type = m5.large\nspot_bid = 0.1\n',
);

describe('HTTPS_PROXY', () => {
  const before = process.env.HTTPS_PROXY;
  beforeEach(() => assert.ok(config));
  afterEach(() => {
    if (before === undefined) delete process.env.HTTPS_PROXY;
    else process.env.HTTPS_PROXY = before;
  });

  for (const value of [
    'http://user:pass#word@proxy:3128',
    'http://user:pass/word@proxy:3128',
    'http://user:secret@proxy:99999',
    'socks5://user:secret@proxy:1080',
    'user:secret@proxy:3128',
    'http://user:secret@pro xy:3128',
  ]) {
    it(`that is no proxy's URL is a mistake (status 2), and is not shown: ${value.replace(/pass|secret/, '...')}`, () => {
      process.env.HTTPS_PROXY = value;
      try {
        if (config !== undefined) useProxy(config);
        assert.fail('accepted');
      } catch (error) {
        assert.ok(error instanceof Error && 'exitStatus' in error, String(error));
        assert.equal(error.exitStatus, 2);
        assert.match(error.message, /HTTPS_PROXY/);
        assert.doesNotMatch(
          `${error.message}${error.stack}${String(error.cause)}`,
          /pass#|pass\/|secret|word@/,
        );
      }
    });
  }
});
