import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import vm from 'node:vm';
import { gzipSync } from 'node:zlib';
import { dollars } from '../../src/format/money.ts';
import { grouped } from '../../src/format/numbers.ts';
import { UPLOT_SCRIPT } from '../../src/simulate/page/assets.ts';
import { createDirectory, logLine } from '../simulate/files.ts';
import { follow, PROGRAM, run } from './world.ts';

const SCRIPT = '/usr/bin/script';
const ENVIRONMENT = { PATH: '/usr/bin:/bin', HOME: '/nonexistent' };
const directory = createDirectory();
after(directory.remove);

const conf = directory.file(
  'own.conf',
  `[LOAD TABLE]
0.5 0 1
1 1 2
4 2 3
[MASTER]
poll_interval = 0.5
server_status_url = http://localhost/server-status
[SLAVE]
instance_type = m5.large
spot_bid = 0.1
ports = 8101
`,
);
/** Two hours, the second one busy, in two logs; one is packed. */
const START = Date.UTC(2026, 9, 1, 8);
const quiet = Array.from({ length: 360 }, (_, index) => logLine(START + index * 10_000)).join('');
const busy = Array.from({ length: 3 * 3600 }, (_, index) =>
  logLine(START + 3_600_000 + Math.floor(index / 3) * 1000),
).join('');
const logs = [
  directory.file('access.log', `${busy}what is this\n`),
  directory.file('access.log.1', gzipSync(quiet)),
];

test('into a pipe: plain text of 80 columns, ASCII where the locale is', async () => {
  const program = run(['simulate', '--conf', conf, '--log', ...logs], {
    ...ENVIRONMENT,
    LC_ALL: 'C',
  });
  assert.equal(await program.ended(), 0, program.stderr());
  const text = program.stdout();
  assert.match(text, /^[\n -~]*$/);
  for (const line of text.split('\n')) assert.ok(line.length <= 80 || line.includes(directory.path), line);
  const joined = text.replaceAll(/\n */g, ' ');
  assert.match(joined, /2 h from 2026-10-01 08:00 to 2026-10-01 10:00 \(UTC\), 11,160 requests/);
  assert.match(joined, /access\.log: 1 line has no time or no request, left out; the first is line 10801/);
  assert.match(text, /^this balancer .* \$1\.\d\d .*$/m);
  assert.equal(program.stderr(), '');
});

test('at a terminal: charts in blocks and colours', {
  skip: existsSync(SCRIPT) ? false : `${SCRIPT} is not installed`,
}, async () => {
  const command = `stty cols 100; exec ${PROGRAM} simulate --conf ${conf} --trace burst`;
  const child = spawn(SCRIPT, ['-qefc', command, '/dev/null'], {
    env: { ...ENVIRONMENT, TERM: 'xterm', SHELL: '/bin/sh', LC_ALL: 'C.UTF-8' },
  });
  const terminal = follow(child);
  assert.equal(await terminal.ended(), 0);
  const [, cyan = ''] = terminal.stdout().split('\u001b[36m');
  assert.match(cyan, /^[^\n]*█/);
});

test('as JSON and as a page: the same numbers, and the page has its charts inside', async () => {
  const file = `${directory.path}/page.html`;
  const program = run(
    ['simulate', '--conf', conf, '--trace', 'burst', '--suggest', '--json', '--html', file],
    ENVIRONMENT,
  );
  assert.equal(await program.ended(), 0, program.stderr());
  const { policies, load } = JSON.parse(program.stdout());
  assert.equal(policies.at(-1).timesBest, 1);
  const html = readFileSync(file, 'utf8');
  for (const { title, costPerDay } of policies)
    assert.ok(html.includes(`${title}</th><td>${dollars(costPerDay)}`), title);
  assert.ok(html.includes(`${grouped(load.requests)} requests`));
  assert.ok(html.includes(UPLOT_SCRIPT.replaceAll('</script', '<\\/script')));
  // What the bundler has left of the drawing function needs nothing from outside of it.
  const [, script = ''] = /<script>\n([\s\S]*)<\/script>/.exec(html) ?? [];
  let drawn = 0;
  vm.runInNewContext(script.slice(UPLOT_SCRIPT.length), {
    window: {
      document: { documentElement: {}, querySelector: () => ({ clientWidth: 800, textContent: '' }) },
      getComputedStyle: () => ({ getPropertyValue: () => '#123456' }),
      matchMedia: () => ({ addEventListener() {} }),
      addEventListener() {},
    },
    uPlot: class {
      static paths = { stepped: () => () => null };
      scales = { x: { min: 0, max: 1 } };
      constructor() {
        drawn++;
      }
    },
  });
  assert.equal(drawn, 3);
});

test('what cannot be replayed is an error of one line, without a picture', async () => {
  const cut = directory.file('cut.gz', gzipSync(busy).subarray(0, 500));
  const program = run(['simulate', '--conf', conf, '--log', cut], ENVIRONMENT);
  assert.equal(await program.ended(), 1);
  assert.match(
    program.stderr(),
    /^.*cut\.gz: its gzip data end too early; is it still being written, or was it cut off\?\n$/,
  );
  assert.equal(program.stdout(), '');
});
