import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseRequest } from '../../src/daemon/keeper-protocol.ts';
import { isSlaveUrl } from '../../src/farm/slave-url.ts';

test('the URL of a slave is taken', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.ipV4(),
        fc.ipV6().map(ip => `[${ip}]`),
      ),
      fc.integer({ min: 1, max: 65_535 }),
      (ip, port) => {
        assert.ok(isSlaveUrl(`http://${ip}:${port}`));
      },
    ),
  );
});

const REFUSED = [
  '',
  'http://10.0.0.5',
  'http://10.0.0.5:0',
  'http://10.0.0.5:65536',
  'http://10.0.0.256:8101',
  'http://10.0.0.5:8101/',
  'http://10.0.0.5:8101\n',
  'http://10.0.0.5:8101\n[evil]',
  'http://10.0.0.5:8101;id',
  'http://$(id):8101',
  'http://user@10.0.0.5:8101',
  'http://slave.example.org:8101',
  'https://10.0.0.5:8101',
  'HTTP://10.0.0.5:8101',
  'file:///etc/passwd',
  '/etc/passwd',
  '../../etc/passwd',
  'http://[::1:8101',
  'http://[fe80::1%eth0]:8101',
  'http://[]:8101',
];

test('anything else is not the URL of a slave', () => {
  for (const text of REFUSED) assert.equal(isSlaveUrl(text), false, JSON.stringify(text));
  fc.assert(fc.property(fc.string(), text => !isSlaveUrl(text)));
});

test('a keeper does seven things', () => {
  for (const ask of ['config', 'config.mark', 'farm.read', 'farm.reload', 'log', 'end']) {
    assert.deepEqual(parseRequest({ id: 1, ask }), { id: 1, request: { ask } });
  }
  const urls = ['http://10.0.0.5:8101'];
  assert.deepEqual(parseRequest({ id: 1, ask: 'farm.write', urls }), {
    id: 1,
    request: { ask: 'farm.write', urls },
  });
});

test('further headers of a request are ignored', () => {
  const forged = {
    id: 1,
    ask: 'farm.reload',
    command: 'id > /root/x',
    file: '/etc/passwd',
    reloadCommand: 'id',
  };
  assert.deepEqual(parseRequest(forged), { id: 1, request: { ask: 'farm.reload' } });
});

test('a request of another kind is refused', () => {
  const cases = [
    { id: 1 },
    { id: 1, ask: 'exec', command: 'id' },
    { id: 1, ask: 'farm.write' },
    { id: 1, ask: 'farm.write', urls: 'http://10.0.0.5:8101' },
    { id: 1, ask: 'farm.write', urls: [['http://10.0.0.5:8101']] },
    { id: 1, ask: 'farm.write', urls: { length: 0 } },
    { id: 1, ask: 'farm.write', urls: Array.from({ length: 10_001 }, () => 'http://10.0.0.5:8101') },
    { id: 1, ask: ['config'] },
    { id: 1, ask: '__proto__' },
    ...REFUSED.map(url => ({ id: 1, ask: 'farm.write', urls: ['http://10.0.0.5:8101', url] })),
  ];
  for (const message of cases) assert.deepEqual(parseRequest(message), { id: 1, request: undefined });
  fc.assert(fc.property(fc.anything(), message => parseRequest(message)?.request === undefined));
});
