/**
 * How long a slave takes from its launch until it answers, on Debian's image with systemd and cloud-init, in parts:
 *
 *     npm run boots -- [BOOTS]
 *
 * Needs root. The first part is the bed's own (on AWS it is EC2's), and the kernel is this machine's.
 */
import './enter-with-root.ts';
import { TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import { createProbe } from '../../src/farm/probe.ts';
import { PHASES, type SlaveFigures } from '../../src/farm/slave-figures.ts';
import { debianRoot, rootsMissing } from '../packaging/fixtures/roots.ts';
import { until } from '../peers/until.ts';
import { clientOf, inState } from './instances.ts';
import { cloudMissing } from './requirements.ts';
import { PORTS, startMachines } from './slave-machines.ts';

const missing = cloudMissing() || rootsMissing();
if (missing !== false) {
  process.stderr.write(`There can be no cloud in a box here: ${missing}. Try: npm run setup\n`);
  process.exit(1);
}
const BOOTS = Number(process.argv[2] ?? 5);
const WANTED = 5;
const { cloud, start } = await startMachines(await debianRoot('slave'));
const parts = new Map<string, number[]>();
const add = (part: string, seconds: number) => parts.set(part, [...(parts.get(part) ?? []), seconds]);

for (let boot = 0; boot < BOOTS; boot++) {
  const launchedAt = performance.now();
  const id = await start();
  await inState(cloud, id, 'running');
  const { address } = await cloud.host(id);
  let told: SlaveFigures | undefined;
  const probe = createProbe(2_000, (_, figures) => {
    told = figures;
  });
  await until(`${id} answers`, async () => (await probe(address, PORTS)) === 'answered');
  const answeredAt = performance.now();
  const { uptime = 0 } = told ?? {};
  const figures = await until('it has told all phases', async () => {
    await probe(address, PORTS);
    return told?.phases.listening !== undefined && told;
  });
  const ends = PHASES.map(phase => figures.phases[phase] ?? 0);
  const [kernel = 0, network = 0, data = 0, listening = 0] = ends;
  add('launch to process 1', (answeredAt - launchedAt) / 1000 - (uptime - kernel));
  add('process 1 to network and user-data', network - kernel);
  add('data mounted', data - network);
  add('slaves listen', listening - data);
  add('network to answering', uptime - network);
  add('launch to answering', (answeredAt - launchedAt) / 1000);
  await clientOf(cloud).send(new TerminateInstancesCommand({ InstanceIds: [id] }));
}
await cloud.stop();
process.stdout.write(`| ${BOOTS} boots | median | longest | wanted |\n|---|---:|---:|---:|\n`);
for (const [part, all] of parts) {
  const seconds = all.toSorted((a, b) => a - b);
  const wanted = part === 'network to answering' ? `≤ ${WANTED} s` : '';
  const at = (index: number) => `${(seconds[index] ?? 0).toFixed(1)} s`;
  process.stdout.write(`| ${part} | ${at(Math.floor(BOOTS / 2))} | ${at(BOOTS - 1)} | ${wanted} |\n`);
}
