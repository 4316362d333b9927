import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';
import { MINUTE, SECOND } from '../../clock.ts';
import { failure } from '../../errors.ts';
import { shellQuoted } from '../../format/shell.ts';
import { byteSize } from '../../format/sizes.ts';
import { renderOne } from '../../gbrowse/render.ts';
import { commandFailure, runCommand } from '../../os/command.ts';
import { userData } from '../../spot/user-data.ts';
import type { Ssh } from '../../staging/ssh.ts';
import type { Tools } from '../../staging/tools.ts';
import type { ImagePlan } from '../plan/plan.ts';
import type { TrialSource } from '../plan/trial-source.ts';
import { TRIAL } from './scripts.ts';

const PORT = 8101;
/** Time limits for a slave to start, and to draw one track. */
const START_LIMIT = 3 * MINUTE;
const DRAW_LIMIT = 2 * MINUTE;

/** A file or directory of this master, and its path during the trial. */
type Placed = { readonly source: string; readonly place: string; readonly isDirectory: boolean };

/**
 * Starts a slave on the staging instance in the usual way, and has it draw a track of one of this master's data
 * sources, over the ssh connection. Leaves nothing behind.
 *
 * @throws {UserError} when the slave does not start, or does not draw
 */
export async function tryOut(plan: ImagePlan, ssh: Ssh, tools: Tools): Promise<void> {
  const { report, phases, signal } = tools;
  const { trial } = plan;
  await phases.time('try a slave', async () => {
    const placed = trial === undefined ? [] : await copyData(trial, ssh, tools);
    const started = await ssh.script(startScript(placed), { signal, timeLimit: START_LIMIT + MINUTE });
    if (started.status !== 0) throw commandFailure('a slave does not start on the image, which', started);
    if (trial !== undefined) await draw(plan, trial, ssh, tools);
    const ended = await ssh.script(endScript(placed), { signal });
    if (ended.status !== 0) throw commandFailure('ending the trial on the staging instance', ended);
  });
  if (trial === undefined) report.say('A slave starts on the image; no track was drawn');
}

async function draw(
  { installation }: ImagePlan,
  { source }: TrialSource,
  ssh: Ssh,
  { report }: Tools,
): Promise<void> {
  const drawn = await ssh.forward(PORT, port =>
    renderOne(installation, source, { slave: `http://127.0.0.1:${port}`, timeLimit: DRAW_LIMIT }),
  );
  const { track, seconds, bytes, error } = drawn;
  if (error !== undefined || bytes === undefined) {
    const log = (await ssh.script('tail -n 5 /var/log/gbrowse/gbrowse_slave* 2>/dev/null')).stdout.trim();
    throw failure(
      `a slave on the image does not draw a track of ${source} as this master does: ${error ?? 'no image came'}${log === '' ? '' : ` (its log: ${log.replaceAll('\n', ' / ')})`}; let --script install what it needs besides the packages`,
    );
  }
  report.say(`A slave on the image has drawn ${track} of ${source}: ${byteSize(bytes)} in ${seconds} s`);
}

/** A file's index is beside it, with a longer name. */
async function withNeighbours(place: string): Promise<readonly string[]> {
  const directory = path.dirname(place);
  const names = (await readdir(directory)).filter(it => it.startsWith(`${path.basename(place)}.`));
  return [place, ...names.map(it => path.join(directory, it))];
}

async function copyData(
  { paths, bytes }: TrialSource,
  ssh: Ssh,
  { report, signal }: Tools,
): Promise<readonly Placed[]> {
  report.say(`Copying ${byteSize(bytes)} of data for a trial`);
  const placed: Placed[] = [];
  for (const place of paths) {
    const isDirectory = (await lstat(place)).isDirectory();
    const sources = isDirectory ? [place] : await withNeighbours(place);
    for (const source of sources)
      placed.push({ source, place: `${TRIAL}/data/${placed.length}`, isDirectory });
  }
  const made = await ssh.script(`mkdir -p ${TRIAL}/data`, { signal });
  if (made.status !== 0) throw commandFailure(`making ${TRIAL} on the staging instance`, made);
  for (const { source, place, isDirectory } of placed) {
    const slash = isDirectory ? '/' : '';
    const words = ['-aL', `--rsync-path=${ssh.asRoot}rsync`, '-e', ssh.rsh];
    const ended = await runCommand(['rsync', ...words, `${source}${slash}`, `${ssh.host}:${place}${slash}`], {
      signal,
      timeLimit: 60 * MINUTE,
    });
    if (ended.status !== 0) throw commandFailure(`copying ${source} for the trial`, ended);
  }
  return placed;
}

function startScript(placed: readonly Placed[]): string {
  const script = userData({ ports: [PORT], orphanTimeout: 60 * MINUTE });
  const shown = placed.map(({ source, place }) => `show ${shellQuoted(place)} ${shellQuoted(source)}\n`);
  return `set -eu
mkdir -p ${TRIAL}
chmod 755 ${TRIAL}
show() { # WHAT PATH: what is made for it is noted, so that it can be removed
  above=$2
  while [ ! -e "$(dirname "$above")" ]; do above=$(dirname "$above"); done
  [ -e "$2" ] || echo "$above" >> ${TRIAL}/made
  if [ -d "$1" ]; then mkdir -p "$2"; else mkdir -p "$(dirname "$2")"; [ -e "$2" ] || : > "$2"; fi
  mount --bind "$1" "$2"
}
${shown.join('')}cat > ${TRIAL}/slave <<'END_OF_SLAVE'
${script.replace(/^#cloud-boothook\n/, '')}END_OF_SLAVE
sh ${TRIAL}/slave </dev/null >/dev/null 2>&1
tries=0
while [ ! -e /run/gbrowse-aws-balancer/listening ]; do
  tries=$((tries + 1))
  if [ "$tries" -gt ${START_LIMIT / SECOND} ]; then
    tail -n 5 /var/log/gbrowse/gbrowse_slave* /var/log/gbrowse-aws-balancer-slave.log >&2 2>/dev/null
    echo "does not listen on port ${PORT}" >&2
    exit 1
  fi
  sleep 1
done
`;
}

function endScript(placed: readonly Placed[]): string {
  const hidden = placed.map(({ source }) => `umount ${shellQuoted(source)}\n`).toReversed();
  return `set -eu
matching() { ps -eww -o pid=,args= | awk -v text="$1" 'index($0, text) && !/awk/ { print $1 }'; }
if [ -d /run/systemd/system ]; then
  systemctl stop gbrowse-aws-balancer-slave
  rm -f /run/systemd/system/gbrowse-aws-balancer-slave.service
  systemctl daemon-reload
else
  for pid in $(matching ${TRIAL}/slave); do kill "$pid" 2>/dev/null || :; done
fi
for signal in TERM TERM KILL; do
  pids=$(matching gbrowse_slave)
  [ -n "$pids" ] || break
  kill -s "$signal" $pids 2>/dev/null || :
  sleep 1
done
${hidden.join('')}if [ -e ${TRIAL}/made ]; then
  while read -r place; do
    if [ -d "$place" ]; then find "$place" -depth \\( -type d -o -type f -size 0 \\) -empty -delete; else rm -f "$place"; fi
  done < ${TRIAL}/made
fi
rm -rf ${TRIAL} /run/gbrowse-aws-balancer
`;
}
