import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { MANIFEST, type SlaveScript, userData } from '../../src/spot/user-data.ts';
import { type Cloud, type CloudOptions, startCloud } from './cloud.ts';
import { base64, createGroup, launch } from './instances.ts';

export const PORTS = [8101, 8102];
export const DATABASES = '/var/lib/gbrowse/databases';

/** A cloud whose instances boot Debian with systemd and cloud-init, and a snapshot of data. */
export type SlaveMachines = {
  readonly cloud: Cloud;
  /** The security group of slaves. */
  readonly group: string;
  /** Launches a slave with one volume of data. */
  start(script?: Partial<SlaveScript>): Promise<string>;
};

/** @param root the root of the instances' system; `options`: with `emulated`, they boot its image instead */
export async function startMachines(
  root: string,
  options: Pick<CloudOptions, 'emulated'> = {},
): Promise<SlaveMachines> {
  const cloud = await startCloud(options.emulated === undefined ? { image: root } : options);
  const snapshot = await cloud.importSnapshot(dataImage(root, cloud.directory), 1);
  const group = await createGroup(
    cloud,
    'slaves',
    [...PORTS, 8103].map(port => ({ port, from: `${cloud.master.address}/32` })),
  );
  return {
    cloud,
    group,
    start: (script = {}) =>
      launch(cloud, {
        UserData: base64(userData({ ports: PORTS, orphanTimeout: 3_600_000, volumes: 1, ...script })),
        SecurityGroupIds: [group],
        InstanceInitiatedShutdownBehavior: 'terminate',
        BlockDeviceMappings: [
          { DeviceName: '/dev/sdg', Ebs: { SnapshotId: snapshot, DeleteOnTermination: true } },
        ],
      }),
  };
}

/** A volume as sync leaves it: databases, and where there is PostgreSQL its data, of another user's number. */
function dataImage(root: string, directory: string): string {
  const tree = path.join(directory, 'tree');
  mkdirSync(path.join(tree, 'databases/copied'), { recursive: true });
  writeFileSync(path.join(tree, 'databases/copied/a.gff3'), '##gff-version 3\n');
  writeFileSync(path.join(tree, MANIFEST), `databases\t${DATABASES}\nlib/postgresql\t/var/lib/postgresql\n`);
  const image = path.join(directory, 'data.img');
  const script = `mkdir -p '${tree}/lib/postgresql' && cd '${tree}/lib/postgresql' &&
    { [ ! -d '${root}/var/lib/postgresql' ] || cp -a '${root}/var/lib/postgresql/.' .; } && chown -R 4711:4711 . &&
    mkfs.ext4 -q -d '${tree}' '${image}' 256M`;
  const { status, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`no image of the data: ${stderr}`);
  return image;
}
