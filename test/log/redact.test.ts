import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRedactor } from '../../src/log/redact.ts';

const secrets = fc.array(
  fc.string({ minLength: 4, maxLength: 40 }).filter(text => !'***'.includes(text) && !text.includes('*')),
  {
    minLength: 1,
    maxLength: 4,
  },
);

test('no secret is left in a text, whatever stands around it', () => {
  fc.assert(
    fc.property(secrets, fc.array(fc.string(), { maxLength: 6 }), (hidden, words) => {
      const { redact } = createRedactor(hidden);
      const text = words.flatMap((word, index) => [word, hidden[index % hidden.length] ?? '']).join('');
      const clean = redact(text);
      for (const secret of hidden) assert.ok(!clean.includes(secret), `${secret} in ${clean}`);
    }),
  );
});

test('a secret is found in the form that a URL or JSON gives it', () => {
  const secret = 'wJalrXUt/bPx+Rfi"CYEX';
  const { redact } = createRedactor([secret]);
  const text = `plain ${secret}, url ${encodeURIComponent(secret)}, json ${JSON.stringify(secret)}`;
  assert.equal(redact(text), 'plain ***, url ***, json "***"');
});

test('a secret with the line end of its file is hidden as it is used too', () => {
  assert.equal(createRedactor(['Plugh-and-more\n']).redact('is Plugh-and-more here'), 'is *** here');
});

test('a secret that contains another one is hidden as a whole', () => {
  assert.equal(createRedactor(['Plugh', 'Plugh-and-more']).redact('Plugh-and-more Plugh'), '*** ***');
});

test('without secrets, or with values too short to be one, a text stays as it is', () => {
  assert.equal(createRedactor([undefined, '', 'a', 'is']).redact('this is a text'), 'this is a text');
});

test('a secret that becomes known later is hidden from then on', () => {
  const { hide, redact } = createRedactor();
  assert.equal(redact('XYZZY'), 'XYZZY');
  hide('XYZZY');
  assert.equal(redact('XYZZY'), '***');
});
