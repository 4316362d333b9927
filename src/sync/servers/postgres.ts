import { readdir, readlink } from 'node:fs/promises';
import path from 'node:path';
import { failure } from '../../errors.ts';
import { findProgram } from '../../os/command.ts';
import { programOf } from '../../os/process.ts';
import { readSmall } from '../../staging/read-small.ts';
import { isInside } from '../plan/trees.ts';
import type { ServerProcess } from './find.ts';
import type { Hold } from './hold.ts';
import { openPsql, type Psql } from './psql.ts';

/** What a copy of a cluster must not have, or need not (PostgreSQL's manual, "Making a Base Backup Using the API"). */
const NOT_COPIED = [
  'postmaster.pid',
  'postmaster.opts',
  'pg_replslot/*',
  'pg_dynshmem/*',
  'pg_notify/*',
  'pg_serial/*',
  'pg_snapshots/*',
  'pg_stat_tmp/*',
  'pg_subtrans/*',
];

/** The data directories below a directory, itself among them, at most three levels deep (`15/main`). */
export async function findClusters(directory: string, depth = 3): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const has = (name: string) => entries.some(it => it.name === name);
  if (has('PG_VERSION') && has('global')) return [directory];
  if (depth === 0) return [];
  const below = entries.filter(it => it.isDirectory());
  return (await Promise.all(below.map(it => findClusters(path.join(directory, it.name), depth - 1)))).flat();
}

/** rsync's patterns for what is not copied of clusters in a tree. */
export function clusterExcludes(tree: string, clusters: readonly string[]): readonly string[] {
  return clusters.flatMap(cluster => {
    const inTree = path.relative(tree, cluster);
    const anchor = inTree === '' ? '' : `/${inTree.replaceAll(/[[\]*?\\]/g, '\\$&')}`;
    return NOT_COPIED.map(it => `${anchor}/${it}`);
  });
}

/**
 * Makes sure that all of a cluster lies in the tree: its write-ahead log and its tablespaces too.
 *
 * @throws {UserError} naming what does not
 */
export async function assertWhole(tree: string, cluster: string): Promise<void> {
  const tablespaces = path.join(cluster, 'pg_tblspc');
  const names = await readdir(tablespaces).catch(() => []);
  const links = ['pg_wal', 'pg_xlog'].map(it => path.join(cluster, it));
  for (const link of [...links, ...names.map(it => path.join(tablespaces, it))]) {
    const target = await readlink(link).catch(() => undefined);
    if (target === undefined || isInside(path.resolve(path.dirname(link), target), tree)) continue;
    throw failure(
      `${link} leads to ${target}, which is not below ${tree}: the copy would not be whole. Name a directory with --postgres that has both, or move it`,
    );
  }
}

/**
 * Puts a server into backup mode: it goes on serving, and the copy includes the write-ahead log of the time of the
 * copy. A slot of this session keeps that log; it ends with the session in any case.
 *
 * @returns undefined when this cannot be done (no access, an old server, a standby, tables that are not logged)
 */
export async function backUp(server: ServerProcess): Promise<Hold | undefined> {
  if (await hasUnlogged(server.dataDirectory)) return undefined;
  const psql = await connectTo(server);
  if (psql === undefined) return undefined;
  try {
    const [version = '0', standby] = (
      await psql.ask("SELECT current_setting('server_version_num') || ' ' || pg_is_in_recovery()")
    ).split(' ');
    // Temporary slots came with 10.
    if (Number(version) < 100_000 || standby !== 'false') throw new Error('not this server');
    const isNew = Number(version) >= 150_000;
    await psql.ask('SET statement_timeout = 0');
    await psql.ask(`SELECT pg_create_physical_replication_slot('gbrowse_sync_${process.pid}', true, true)`);
    await psql.ask(
      isNew
        ? "SELECT pg_backup_start('gbrowse-aws-balancer sync', true)"
        : "SELECT pg_start_backup('gbrowse-aws-balancer sync', true, false)",
    );
    return {
      server,
      state: 'in backup mode',
      isDown: false,
      async finish(copy) {
        const inBase64 = (column: string) =>
          `replace(encode(convert_to(${column}, 'UTF8'), 'base64'), E'\\n', '')`;
        const stop = isNew ? 'pg_backup_stop(false)' : 'pg_stop_backup(false, false)';
        const answer = await psql.ask(
          `SELECT ${inBase64('labelfile')} || ' ' || ${inBase64("coalesce(spcmapfile, '')")} FROM ${stop}`,
        );
        const [label = '', map = ''] = answer.split(' ').map(it => Buffer.from(it, 'base64').toString());
        const { dataDirectory } = server;
        return (
          (await copy.pass(path.join(dataDirectory, 'pg_wal'))) &&
          (await copy.write(path.join(dataDirectory, 'backup_label'), label)) &&
          (map === '' || (await copy.write(path.join(dataDirectory, 'tablespace_map'), map)))
        );
      },
      release: () => psql.close(),
    };
  } catch {
    await psql.close();
    return undefined;
  }
}

/** Of postmaster.pid, a line each: process, data directory, start, port, socket directory. */
const MOST_PIDFILE = 4096;

/** As the server's own user, over its own socket: postmaster.pid says where that is. */
async function connectTo({ pid, rights, dataDirectory }: ServerProcess): Promise<Psql | undefined> {
  const text = (await readSmall(path.join(dataDirectory, 'postmaster.pid'), MOST_PIDFILE)) ?? '';
  const [, , , port = '', directory = ''] = text.split('\n');
  const program = findProgram(path.join(path.dirname(programOf(pid) ?? ''), 'psql')) ?? findProgram('psql');
  if (!/^\d+$/.test(port) || !directory.startsWith('/') || program === undefined) return undefined;
  return openPsql({ program, rights, socketDirectory: directory, port });
}

/** Tables without a log are empty after a recovery; each has a file `…_init`. */
async function hasUnlogged(dataDirectory: string): Promise<boolean> {
  const base = path.join(dataDirectory, 'base');
  for (const database of await readdir(base).catch(() => [])) {
    const files = await readdir(path.join(base, database)).catch(() => []);
    if (files.some(it => it.endsWith('_init'))) return true;
  }
  return false;
}
