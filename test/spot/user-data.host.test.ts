import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { MANIFEST, type SlaveScript, userData } from '../../src/spot/user-data.ts';

const SCRIPT: SlaveScript = { ports: [8101, 8102], orphanTimeout: 3_600_000 };
const root = mkdtempSync(path.join(tmpdir(), 'user-data-'));
after(() => rmSync(root, { recursive: true }));

/** Shells that images have; those that are not here are not asked. */
const SHELLS = [['dash'], ['bash', '--posix'], ['busybox', 'sh'], ['sh']].filter(
  ([shell = '']) => spawnSync(shell, ['-c', ':']).error === undefined,
);

/**
 * Runs the script's functions in a machine that is made of stubs: each command appends its words to `log`; /proc, /srv,
 * /opt and the like lie in a directory of their own.
 */
function runOn(machine: {
  readonly script?: SlaveScript;
  readonly files?: Readonly<Record<string, string>>;
  readonly commands?: Readonly<Record<string, string>>;
  readonly call: string;
  readonly shell?: readonly string[];
}): { readonly log: string[]; readonly status: number | null; readonly output: string } {
  const directory = mkdtempSync(path.join(root, 'machine-'));
  const bin = path.join(directory, 'bin');
  mkdirSync(bin);
  for (const [name, text] of Object.entries(machine.files ?? {})) {
    const file = path.join(directory, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    chmodSync(file, 0o755);
  }
  const log = path.join(directory, 'log');
  writeFileSync(log, '');
  const stubs = {
    chown: '',
    mount: '',
    mountpoint: 'exit 1',
    logger: '',
    poweroff: '',
    setpriv: '',
    vgchange: 'exit 5',
    lsblk: '',
    ...machine.commands,
  };
  for (const [name, text] of Object.entries(stubs)) {
    writeFileSync(path.join(bin, name), `#!/bin/sh\necho "${name} $*" >> '${log}'\n${text}\n`);
    chmodSync(path.join(bin, name), 0o755);
  }
  const text = userData(machine.script ?? SCRIPT)
    .replaceAll(/(?<![\w.])\/(proc|srv|opt|var|run|etc)\//g, `${directory}/$1/`)
    .replace(/^PATH=/m, `PATH='${bin}':`)
    .replace(/^mount_data\nguard .*$/m, machine.call);
  const file = path.join(directory, 'user-data');
  writeFileSync(file, text);
  const [shell = 'sh', ...options] = machine.shell ?? ['sh'];
  const { status, stdout, stderr } = spawnSync(shell, [...options, file], {
    encoding: 'utf8',
    timeout: 10_000,
  });
  const lines = readFileSync(log, 'utf8').replaceAll(directory, '').split('\n').filter(Boolean);
  return { log: lines, status, output: stdout + stderr };
}

/** A line of /proc/net/tcp: this local port, in this state. */
function socket(port: number, state: string): string {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return `   0: 00000000:${hex} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 1\n`;
}

const HEADER =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const tcp = (...lines: string[]) => ({ 'proc/net/tcp': HEADER + lines.join(''), 'proc/net/tcp6': HEADER });

describe('the user-data of a slave', () => {
  for (const shell of SHELLS) {
    it(`is a script that ${shell.join(' ')} understands`, () => {
      const [command = '', ...options] = shell;
      const texts = [userData(SCRIPT), userData({ ...SCRIPT, databases: "/it's here/$HOME`x`" })];
      for (const input of texts) {
        const { status, stderr } = spawnSync(command, [...options, '-n'], { input, encoding: 'utf8' });
        assert.deepEqual([status, stderr], [0, '']);
      }
    });

    // The busybox shell has commands of its own, and asks for no stub.
    if (shell[0] === 'busybox') continue;
    it(`runs on a Debian image in ${shell.join(' ')}: gbrowse_slave on each port that does not listen yet`, () => {
      const { log } = runOn({ call: 'start_slave', files: tcp(socket(8101, '0A')), shell });
      const started = log.filter(line => line.startsWith('setpriv'));
      assert.equal(started.length, 1);
      assert.match(
        started[0] ?? '',
        /--reuid=www-data --regid=www-data .*gbrowse_slave --port 8102 .*--pid \/run\/gbrowse-slave\/8102.pid/,
      );
    });
  }

  it('is smaller than the 16 KB that EC2 takes', () => {
    assert.ok(Buffer.byteLength(userData(SCRIPT)) < 16_384);
  });

  it('keeps a path with quotes and dollars as it is', () => {
    const databases = "/it's/$HOME/`x`";
    const { output } = runOn({ script: { ...SCRIPT, databases }, call: `printf '%s' "$DATABASES"` });
    assert.equal(output, databases);
  });

  it('uses the init script of the GBrowse image where there is one', () => {
    const { log, output } = runOn({
      call: 'start_slave',
      files: { ...tcp(), 'opt/gbrowse/etc/init.d/gbrowse-slave': '#!/bin/sh\necho "init $*"\n' },
    });
    assert.equal(output, 'init start 8101 8102\n');
    assert.deepEqual(log, []);
  });

  it('mounts plain data volumes, not what is mounted already nor what has no filesystem', () => {
    const { log } = runOn({
      script: { ...SCRIPT, databases: '/srv/databases' },
      call: 'mount_data',
      files: { 'srv/gbrowse-data/nvme1n1/databases/.keep': '' },
      commands: {
        lsblk:
          'printf "/dev/nvme0n1p1 ext4 /\\n/dev/nvme1n1 ext4 \\n/dev/nvme2n1 xfs\\n/dev/nvme3n1\\n/dev/nvme4n1 swap\\n"',
      },
    });
    assert.deepEqual(
      log.filter(line => line.startsWith('mount ')),
      [
        'mount /dev/nvme1n1 /srv/gbrowse-data/nvme1n1',
        'mount --bind /srv/gbrowse-data/nvme1n1/databases /srv/databases',
        'mount /dev/nvme2n1 /srv/gbrowse-data/nvme2n1',
      ],
    );
  });

  it('mounts the volume group of old GBrowse images', () => {
    const { log } = runOn({ call: 'mount_data', commands: { vgchange: '' } });
    assert.ok(log.includes('mount /dev/volumes/gbrowse /opt/gbrowse'));
  });
});

describe('the trees that sync has copied', () => {
  const [point, other] = ['srv/gbrowse-data/nvme1n1', 'srv/gbrowse-data/nvme2n1'];
  const placed = (name: string) => path.join(root, 'placed', name);
  const manifest = (...lines: readonly (readonly [string, string])[]) =>
    `# place, path\n${lines.map(([place, where]) => `${place}\t${where}\t1\t2\tnow\n`).join('')}`;
  const commands = { lsblk: 'printf "/dev/nvme1n1 ext4\\n/dev/nvme2n1 ext4\\n"', service: '' };
  const of = (log: readonly string[], command: string) =>
    log.flatMap(line => (line.startsWith(`${command} `) ? [line.slice(command.length + 1)] : []));

  it('are put at the paths that they have on the master, whatever the balancer believes', () => {
    const names = [' odd  name', "it's $HOME\\`x`", 'again'];
    const { log } = runOn({
      script: { ...SCRIPT, databases: placed('elsewhere') },
      call: 'mount_data',
      files: {
        [`${point}/databases/.keep`]: '',
        [`${point}/${MANIFEST}`]: manifest(...names.map(it => ['databases', placed(it)] as const)),
        [`${other}/databases/.keep`]: '',
      },
      commands,
    });
    assert.deepEqual(
      of(log, 'mount').filter(it => it.startsWith('--bind')),
      [
        ...names.map(it => `--bind /${point}/databases ${placed(it)}`),
        `--bind /${other}/databases ${placed('elsewhere')}`,
      ],
    );
  });

  it('database servers are stopped before, and serve the copy afterwards, as their own user', () => {
    const { log } = runOn({
      call: 'mount_data',
      files: {
        [`${point}/lib/mysql/ibdata1`]: '',
        [`${point}/lib/postgresql/15/main/PG_VERSION`]: '15',
        [`${point}/${MANIFEST}`]: manifest(
          ['lib/mysql', placed('mysql')],
          ['lib/postgresql', placed('postgresql')],
        ),
        'etc/init.d/mariadb': '',
        'etc/init.d/postgresql': '',
      },
      commands: { ...commands, stat: 'echo systemd-network' },
    });
    const order = log.filter(line => /^(service|chown|mount --bind)/.test(line));
    assert.deepEqual(order, [
      'service mariadb stop',
      'service postgresql stop',
      `mount --bind /${point}/lib/mysql ${placed('mysql')}`,
      `mount --bind /${point}/lib/postgresql ${placed('postgresql')}`,
      `chown -R mysql:mysql /${point}/lib/mysql`,
      'service mariadb start',
      `chown -R postgres:postgres /${point}/lib/postgresql`,
      'service postgresql start',
    ]);
  });

  it('stay where they are on an image that has them there already', () => {
    const { log } = runOn({
      call: 'mount_data',
      files: { [`opt/gbrowse/${MANIFEST}`]: manifest(['databases', placed('x')]) },
      commands: { ...commands, vgchange: '', lsblk: '' },
    });
    assert.deepEqual(of(log, 'mount'), [
      '/dev/volumes/gbrowse /opt/gbrowse',
      `--bind /opt/gbrowse/databases ${placed('x')}`,
    ]);
    const { output } = runOn({ call: 'show_at /opt/gbrowse/databases /opt/gbrowse/databases; echo $?' });
    assert.equal(output, '0\n');
  });
});

describe('the guard of a slave', () => {
  /** Runs it for so many looks, 15 s apart; the uptime is the number of looks so far. */
  function guard(sockets: readonly string[], looks: number) {
    const call = [
      'time=100',
      'uptime_seconds() { echo "$time"; }',
      `sleep() { time=$((time + $1)); looks=$((looks + 1)); [ $looks -lt ${looks} ] || exit 0; }`,
      'looks=0',
      'guard',
    ].join('\n');
    return runOn({ script: { ...SCRIPT, orphanTimeout: 60_000 }, call, files: tcp(...sockets) });
  }
  const listening = [socket(8101, '0A'), socket(8102, '0A')];
  const poweredOff = (log: readonly string[]) => log.filter(line => line.startsWith('poweroff')).length;

  it('powers the slave off when nobody has contacted it for orphan_timeout, and not sooner', () => {
    assert.equal(poweredOff(guard(listening, 4).log), 0);
    assert.equal(poweredOff(guard(listening, 5).log), 1);
  });

  for (const [state, what] of [
    ['01', 'an open connection'],
    ['06', 'a connection that was closed within the last minute'],
  ] as const) {
    it(`takes ${what} for contact`, () => {
      assert.equal(poweredOff(guard([...listening, socket(8102, state)], 40).log), 0);
    });
  }

  it('does not take a connection to another port for contact', () => {
    const others = [socket(22, '01'), socket(18101, '01'), socket(0x81, '01')];
    assert.equal(poweredOff(guard([...listening, ...others], 5).log), 1);
  });

  it('starts the slave again when a port does not listen', () => {
    const { log } = guard([socket(8101, '0A')], 2);
    const started = log.filter(line => line.startsWith('setpriv'));
    assert.equal(started.length, 2);
    assert.ok(started.every(line => line.includes('--port 8102')));
    assert.deepEqual(guard(listening, 2).log, []);
  });
});
