import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { CONFIG_FILES, findConfigFile } from '../../src/config/locate.ts';

const directory = mkdtempSync(join(tmpdir(), 'balancer-locate-'));
after(() => rmSync(directory, { recursive: true }));
const places = ['a', 'b', 'c'].map(name => join(directory, name, 'aws_balancer.conf'));
const [b, c] = ['b.conf', 'c.conf'].map(name => join(directory, name));

describe('finding the configuration file', () => {
  it("looks in upstream's place, Debian's and the cloud machine's", () => {
    assert.deepEqual(CONFIG_FILES, [
      '/etc/gbrowse2/aws_balancer.conf',
      '/etc/gbrowse/aws_balancer.conf',
      '/opt/gbrowse/etc/aws_balancer.conf',
    ]);
  });

  it('takes the first that exists', async () => {
    assert.ok(b !== undefined && c !== undefined);
    writeFileSync(c, '');
    assert.equal(await findConfigFile([...places, b, c]), c);
    writeFileSync(b, '');
    assert.equal(await findConfigFile([...places, b, c]), b);
  });

  it('names all places when there is none', async () => {
    await assert.rejects(findConfigFile(places), {
      name: 'UserError',
      message: `no configuration file: there is none of ${places.join(', ')}; name one with --conf FILE`,
      exitStatus: 2,
    });
  });
});
