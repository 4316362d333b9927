import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { MANIFEST, SLAVE_MARK, type SlaveScript, userData } from '../../src/spot/user-data.ts';

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
    writeFileSync(file, text.replaceAll('@DIR@', directory));
    chmodSync(file, 0o755);
  }
  const log = path.join(directory, 'log');
  writeFileSync(log, '');
  mkdirSync(path.join(directory, 'var/log'), { recursive: true });
  mkdirSync(path.join(directory, 'run/gbrowse-aws-balancer/cache'), { recursive: true });
  mkdirSync(path.join(directory, 'tmp'));
  const stubs = {
    chown: '',
    mount: '',
    mountpoint: 'exit 1',
    logger: '',
    poweroff: '',
    setpriv: '',
    vgchange: 'exit 5',
    lsblk: '',
    udevadm: '',
    systemctl: '',
    service: '',
    sleep: '',
    ps: '',
    perl: '',
    nproc: 'echo 2',
    id: '[ "$1" = -u ] && [ "$2" != www-data ] && exit 1; echo www-data',
    ...machine.commands,
  };
  for (const [name, text] of Object.entries(stubs)) {
    writeFileSync(path.join(bin, name), `#!/bin/sh\necho "${name} $*" >> '${log}'\n${text}\n`);
    chmodSync(path.join(bin, name), 0o755);
  }
  const text = userData(machine.script ?? SCRIPT)
    .replaceAll(/(?<![\w.])\/(proc|srv|opt|var|run|etc|tmp)\//g, `${directory}/$1/`)
    .replace(/^HERE=/m, `kill() { echo "kill $*" >>'${log}'; }\nHERE=`)
    .replace(/^PATH=/m, `PATH='${bin}':`)
    .replace(/^case \$\{1-\} in[\s\S]*/m, machine.call.replaceAll('@ROOT@', directory));
  const file = path.join(directory, 'user-data');
  writeFileSync(file, text);
  const [shell = 'sh', ...options] = machine.shell ?? ['sh'];
  const { status, stdout, stderr } = spawnSync(shell, [...options, file], {
    encoding: 'utf8',
    timeout: 120_000,
  });
  const lines = readFileSync(log, 'utf8').replaceAll(directory, '').split('\n').filter(Boolean);
  return { log: lines, status, output: stdout + stderr };
}

/** What `ps` says of slaves: on each port a parent, which leads a group, and two children. */
function served(...ports: readonly number[]): string {
  const line = (pid: number, group: number, port: number) =>
    `echo '${pid} ${group} /usr/bin/perl /usr/bin/gbrowse_slave --port ${port} --prefork 3'`;
  return ports.flatMap(port => [line(port, port, port), line(port + 1000, port, port)]).join('\n');
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
    it(`runs on a Debian image in ${shell.join(' ')}: gbrowse_slave on each port that is not served yet`, () => {
      const { log } = runOn({
        call: 'start_slaves',
        files: tcp(socket(8101, '0A')),
        commands: { ps: served(8101) },
        shell,
      });
      const started = log.filter(line => /^setpriv.*gbrowse_slave/.test(line));
      assert.equal(started.length, 1);
      assert.match(
        started[0] ?? '',
        /--reuid=www-data --regid=www-data --init-groups gbrowse_slave --port 8102 --prefork 3 .*--tmp \/run\/gbrowse-aws-balancer\/cache$/,
      );
    });
  }

  it('starts as many processes as the image wants, but more than there are processors, with its preload and nice', () => {
    const settings = (prefork: number) =>
      `USER=nobody-here\nPRELOAD=@DIR@/preload.conf\nPREFORK=${prefork}\nPORT="9 10"\nNICE=5\nDAEMON=broken/gbrowse_slave\n`;
    for (const [prefork, expected] of [
      [1, 3],
      [8, 8],
    ] as const) {
      const { log } = runOn({
        script: { ...SCRIPT, ports: [8101] },
        call: 'start_slaves',
        files: { ...tcp(), 'etc/default/gbrowse-slave': settings(prefork), 'preload.conf': '' },
        commands: { nice: 'shift 2; exec "$@"' },
      });
      assert.ok(log.some(line => line.startsWith('nice -n 5 setpriv --reuid=www-data')));
      const [started = ''] = log.filter(line => /^setpriv.*gbrowse_slave/.test(line));
      assert.match(started, new RegExp(`--port 8101 --prefork ${expected} .*--preload /preload.conf$`));
    }
  });

  it('puts the token there as the user of the slave, before the slave is started', () => {
    const { log } = runOn({ script: { ...SCRIPT, ports: [8101] }, call: 'start_slaves', files: tcp() });
    const [token = '', slave = ''] = log.filter(line => line.startsWith('setpriv'));
    assert.match(
      token,
      /--reuid=www-data .* perl .*lock_store.* \/run\/gbrowse-aws-balancer\/cache\/gbrowse-aws-balancer$/,
    );
    assert.match(slave, / gbrowse_slave /);
  });

  it('does not start without its data volumes, and counts those that are mounted', () => {
    const script = { ...SCRIPT, volumes: 2 };
    const disks = (...lines: readonly string[]) => ({ lsblk: `printf '${lines.join('\\n')}\\n'` });
    const cases = [
      [disks('/dev/nvme0n1p1 ext4 /', '/dev/nvme0n1p2 ext4 /boot', '/dev/nvme1n1 ext4 /srv/a'), 'no'],
      [disks('/dev/nvme0n1p1 ext4 /', '/dev/nvme1n1 ext4 /srv/a', '/dev/nvme2n1 xfs /srv/b'), 'yes'],
      [{ ...disks('/dev/nvme0n1p1 ext4 /'), mountpoint: '' }, 'yes'],
    ] as const;
    for (const [commands, expected] of cases) {
      const { output } = runOn({ script, call: 'data_is_there && echo yes || echo no', commands });
      assert.equal(output, `${expected}\n`);
    }
  });

  it('is a boothook, which runs at every boot, and says in its first lines whose it is', () => {
    assert.deepEqual(userData(SCRIPT).split('\n').slice(0, 3), ['#cloud-boothook', '#!/bin/sh', SLAVE_MARK]);
  });

  it("keeps the image's own slaves and balancer out before it mounts, and starts its unit without waiting", () => {
    const { log } = runOn({ call: 'boot', files: { 'run/systemd/system/.keep': '' } });
    const calls = log.filter(line => /^(systemctl (mask|start)|lsblk)/.test(line));
    assert.deepEqual(calls, [
      'systemctl mask --runtime --now gbrowse-slave gbrowse-aws-balancer',
      'lsblk -rnpo NAME,FSTYPE,MOUNTPOINT',
      'systemctl start --no-block gbrowse-aws-balancer-slave',
    ]);
  });

  it('holds no pipe of cloud-init with its guard, where there is no systemd to run that', () => {
    const { output } = runOn({
      call: 'guard() { sleep 1; :; }; boot; wait; cat @ROOT@/held',
      files: { 'proc/uptime': '9.25 1.00\n' },
      commands: {
        sleep: 'cd "$(dirname "$0")/.." && for fd in 0 1 2; do readlink "/proc/$PPID/fd/$fd"; done > held',
      },
    });
    assert.equal(output, '/dev/null\n/dev/null\n/dev/null\n');
  });

  it("ends the image's own slaves where there is no systemd", () => {
    const { log } = runOn({
      call: 'keep_own_slaves_out',
      files: { 'etc/init.d/gbrowse-slave': '' },
      commands: {
        ps: `cd "$(dirname "$0")"; [ -e gone ] || echo '  77   77 /usr/bin/perl /usr/bin/gbrowse_slave --port 8103'; : > gone`,
      },
    });
    assert.deepEqual(
      log.filter(line => /^(service|kill)/.test(line)),
      ['service gbrowse-slave stop', 'kill -s TERM 77'],
    );
  });

  it('has init start none of them later in the boot either, nor the balancer', () => {
    const { output } = runOn({
      call: 'keep_own_slaves_out; cd @ROOT@/etc; echo rc?.d/*',
      files: {
        'etc/init.d/gbrowse-slave': '',
        'etc/rc2.d/S20gbrowse-slave': '',
        'etc/rc2.d/S21gbrowse-aws-balancer': '',
        'etc/rc2.d/S20ssh': '',
        'etc/rc0.d/K20gbrowse-slave': '',
      },
    });
    assert.equal(output, 'rc0.d/K20gbrowse-slave rc2.d/S20ssh\n');
  });

  it('is smaller than the 16 KB that EC2 takes', () => {
    assert.ok(Buffer.byteLength(userData(SCRIPT)) < 16_384);
  });

  it('keeps a path with quotes and dollars as it is', () => {
    const databases = "/it's/$HOME/`x`";
    const { output } = runOn({ script: { ...SCRIPT, databases }, call: `printf '%s' "$DATABASES"` });
    assert.equal(output, databases);
  });

  /** An init script as old images have it. */
  const ownScript =
    '#!/bin/sh\necho "init $*; $PERL5OPT; $GBROWSE_SLAVE_PROCESSES; $SYSTEMCTL_SKIP_REDIRECT"\n';

  it('uses the init script of an old image where there is one, with the module that says what it draws', () => {
    const { log, output } = runOn({
      call: 'start_slaves',
      files: { ...tcp(), 'opt/gbrowse/etc/init.d/gbrowse-slave': ownScript },
    });
    assert.match(
      output,
      /^init start 8101 8102; -I\S*\/run\/gbrowse-aws-balancer -MGBrowseAwsBalancerSlave; 3; 1\n$/,
    );
    assert.ok(
      log.some(
        line => line.startsWith('perl ') && line.endsWith(' /tmp/gbslave_ccache/gbrowse-aws-balancer'),
      ),
    );
    assert.ok(!log.some(line => line.startsWith('setpriv')));
  });

  it("uses the script in /etc/init.d where it alone knows the slave's program, and not a pidfile of a dead slave's", () => {
    const files = {
      ...tcp(socket(8102, '0A')),
      'etc/init.d/gbrowse-slave': ownScript,
      'var/run/gbrowse/gbrowse-slave.8101.pid': '4711',
      'var/run/gbrowse/gbrowse-slave.8102.pid': '8102',
    };
    // Whether this machine has a gbrowse_slave is another question.
    const call = 'command() { [ -e @ROOT@/bin/gbrowse_slave ]; }; start_slaves; ls @ROOT@/var/run/gbrowse';
    const { output } = runOn({ call, files, commands: { ps: served(8102) } });
    assert.match(output, /^init start 8101 8102; .*\ngbrowse-slave\.8102\.pid\n$/);
    const onPath = runOn({ call, files, commands: { ps: served(8102), gbrowse_slave: '' } });
    assert.doesNotMatch(onPath.output, /init start/);
  });

  it("reads the log where an old image's script writes it", () => {
    const log = 'srv/log/gbrowse_slave';
    for (const line of ['LOGDIR=@DIR@/srv/log', ' LOGDIR="@DIR@/srv/log" # here', "LOGDIR='@DIR@/srv/log'"]) {
      const { output } = runOn({
        call: 'slave_log',
        files: {
          [log]: '',
          'var/log/gbrowse/gbrowse_slave': '',
          'opt/gbrowse/etc/init.d/gbrowse-slave': `#!/bin/sh\n${line}\n`,
        },
      });
      assert.ok(output.endsWith(`/${log}\n`), output);
    }
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
      files: {
        'opt/gbrowse/databases/.keep': '',
        [`opt/gbrowse/${MANIFEST}`]: manifest(['databases', placed('x')]),
      },
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

describe('database servers under systemd', () => {
  const point = 'srv/gbrowse-data/nvme1n1';
  const files = {
    'run/systemd/system/.keep': '',
    'etc/init.d/postgresql': '',
    [`${point}/lib/postgresql/15/main/PG_VERSION`]: '15',
    [`${point}/${MANIFEST}`]: `lib/postgresql\t${path.join(root, 'placed/pg')}\n`,
  };
  const calls = (active: boolean) =>
    runOn({
      call: 'mount_data',
      files,
      commands: {
        lsblk: 'echo "/dev/nvme1n1 ext4"',
        stat: 'echo postgres',
        systemctl: active ? '' : '[ "$1" != is-active ]',
      },
    }).log.filter(line => /^(systemctl|mount --bind)/.test(line));

  it('that run are stopped wholly, the instances too, before their data are mounted over, and started again', () => {
    assert.deepEqual(calls(true), [
      'systemctl is-active -q postgresql postgresql@*',
      'systemctl stop postgresql.service postgresql@*.service',
      `mount --bind /${point}/lib/postgresql ${path.join(root, 'placed/pg')}`,
      'systemctl start --no-block postgresql',
    ]);
  });

  it('that do not run are started once their data are there, whether they start at boot or not', () => {
    assert.deepEqual(calls(false), [
      'systemctl is-active -q postgresql postgresql@*',
      `mount --bind /${point}/lib/postgresql ${path.join(root, 'placed/pg')}`,
      'systemctl start --no-block postgresql',
    ]);
  });
});

describe('the guard of a slave', () => {
  const LOG = 'var/log/gbrowse/gbrowse_slave';
  const HEAD = '[Wed Nov 25 18:58:49 2026] [info]   [pid=11]    sending REQUEST DATASOURCE response\n';

  /** Runs it for so many looks, 15 s apart; `each` is done before each of them. */
  function guard(
    looks: number,
    options: { sockets: readonly string[]; each?: string; ps?: string; ami?: boolean },
  ) {
    const call = [
      'time=100 looks=0',
      'uptime_seconds() { echo "$time"; }',
      `sleep() { time=$((time + $1)); looks=$((looks + 1)); [ $looks -lt ${looks} ] || exit 0; ${options.each ?? ':'}; }`,
      `log_line() { printf '${HEAD.trim()}\\n' >> "${'$'}ROOT/${LOG}"; }`,
      'guard',
    ].join('\n');
    return runOn({
      script: { ...SCRIPT, orphanTimeout: 60_000 },
      call: call.replaceAll('$ROOT', '@ROOT@'),
      files: {
        ...tcp(...options.sockets),
        [LOG]: HEAD,
        ...(options.ami === true && { 'opt/gbrowse/etc/init.d/gbrowse-slave': '#!/bin/sh\n' }),
      },
      commands: { ps: options.ps ?? served(8101, 8102) },
    });
  }
  const sockets = [socket(8101, '0A'), socket(8102, '0A')];
  const poweredOff = (log: readonly string[]) => log.filter(line => line.startsWith('poweroff')).length;

  it('powers the slave off when nobody has contacted it for orphan_timeout, and not sooner', () => {
    assert.equal(poweredOff(guard(4, { sockets }).log), 0);
    assert.equal(poweredOff(guard(5, { sockets }).log), 1);
  });

  it('takes for contact what the slave has answered, however the connection ended', () => {
    assert.equal(poweredOff(guard(40, { sockets, each: 'log_line' }).log), 0);
  });

  it('does not take for contact what stood in the log before, nor what the slave says to itself', () => {
    const each = `echo '[info] children remaining = 1 2' >> "@ROOT@/${LOG}"`;
    assert.equal(poweredOff(guard(5, { sockets, each }).log), 1);
  });

  it('an open connection alone is no contact: its client may be gone', () => {
    assert.equal(poweredOff(guard(5, { sockets: [...sockets, socket(8102, '01')] }).log), 1);
  });

  it("goes by connections where the image's own init script may log less", () => {
    assert.equal(poweredOff(guard(40, { sockets: [...sockets, socket(8102, '06')], ami: true }).log), 0);
    const others = [socket(22, '01'), socket(18101, '01'), socket(0x81, '01')];
    assert.equal(poweredOff(guard(5, { sockets: [...sockets, ...others], ami: true }).log), 1);
  });

  it('starts the slave again when a port does not listen', () => {
    const started = guard(8, { sockets: [socket(8101, '0A')] }).log.filter(line =>
      / gbrowse_slave /.test(line),
    );
    assert.ok(started.length > 0);
    assert.ok(started.every(line => line.includes('--port 8102')));
    assert.deepEqual(
      guard(2, { sockets }).log.filter(line => line.startsWith('setpriv')),
      [],
    );
  });

  it('ends what is left of a slave whose parent is gone, and starts it again', () => {
    const orphan = `echo '999999 888888 /usr/bin/perl /usr/bin/gbrowse_slave --port 8102 --prefork 3'`;
    const { log } = guard(8, { sockets, ps: `${served(8101)}\n${orphan}` });
    assert.deepEqual(log.filter(line => line.startsWith('kill')).slice(0, 2), [
      'kill -s TERM 999999',
      'kill -s TERM 999999',
    ]);
    assert.ok(log.some(line => / gbrowse_slave --port 8102/.test(line)));
    assert.ok(!log.some(line => / gbrowse_slave --port 8101/.test(line)));
  });

  it('counts what the slave has drawn since it was looked at last, and notes when', () => {
    const drawn = '[info] host=10.0.0.1; operation=render_tracks; response=200; bytes=9\\n';
    const asked = '[info] host=10.0.0.1; operation=invalid; response=400; bytes=15\\n';
    const { output } = runOn({
      files: { 'var/log/gbrowse/gbrowse_slave': '', 'proc/uptime': '77.25 1.00\n' },
      call: `log=/var/log/gbrowse/gbrowse_slave seen=0
        try() { printf "$1" >> /var/log/gbrowse/gbrowse_slave; contacted && echo contacted; cat "$HERE/figures" 2>/dev/null; echo; }
        try ''; try '${asked}'; try '${drawn}${drawn}${asked}'; try '${drawn}'`.replaceAll(
        '/var/log',
        '@ROOT@/var/log',
      ),
    });
    const said = output.split('\n').map(line => line.trim());
    assert.deepEqual(said, [
      '',
      'contacted',
      '',
      'contacted',
      'renders=2 drawn=77.25',
      'contacted',
      'renders=3 drawn=77.25',
      '',
    ]);
  });
});
