import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { hostKeysIn } from '../../src/login/console.ts';
import { findProgram } from '../../src/os/command.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'host-keys-'));
after(() => rmSync(directory, { recursive: true }));

describe('host keys on a console', {
  skip: findProgram('ssh-keygen') === undefined && 'openssh-client is not installed',
}, () => {
  for (const [type, bits] of [
    ['ed25519', '256'],
    ['ecdsa', '256'],
    ['ecdsa', '384'],
    ['ecdsa', '521'],
    ['rsa', '2048'],
  ] as const) {
    test(`a whole key of ssh-keygen's is known, and no part of it: ${type} ${bits}`, () => {
      const file = path.join(directory, type + bits);
      execFileSync('ssh-keygen', ['-q', '-t', type, '-b', bits, '-N', '', '-f', file]);
      const line = readFileSync(`${file}.pub`, 'utf8').trim();
      const [name = '', blob = ''] = line.split(' ');
      const block = (text: string) =>
        `-----BEGIN SSH HOST KEY KEYS-----\r\n${text}\r\n-----END SSH HOST KEY KEYS-----\r\n`;
      assert.deepEqual(hostKeysIn(block(line)), [{ type: name, blob }]);
      for (let length = 0; length < blob.length - 2; length += 7) {
        assert.deepEqual(hostKeysIn(block(`${name} ${blob.slice(0, length)} root@slave`)), []);
      }
    });
  }
});
