import { basename } from 'node:path';
import { MINUTE } from '../clock.ts';
import { allProcesses, hasMapped, listensOnStdin, type Process } from './processes.ts';

/** A GBrowse that stays in memory from request to request, and so keeps the farm file that it read at its start. */
export type Resident = {
  readonly process: Process;
  readonly runsAs: 'FastCGI' | 'mod_perl';
  /** The Apache that it runs under: the parent of Apache's processes. Undefined when there is none. */
  readonly apache: Process | undefined;
};

/** `gbrowse` and its sisters (`gbrowse_img`), as CGI programs; not the slave, and not this balancer. */
const SCRIPT = /(^|\/)gbrowse(_(?!slave)[a-z]+)?(\.(pl|cgi|fcgi))?$/;
/** Apache's program by the names that distributions give it; not its control script, which may be its parent. */
const APACHE = /^(apache2?|httpd2?)([.-](prefork|worker|event|itk))?$/;
/**
 * Under mod_perl, GBrowse is code inside Apache's own processes. They have GD in memory then, the library that GBrowse
 * draws with; Apache has it for no other reason, but for another Perl application that draws.
 */
const GD = /\/auto\/GD\/GD\.so( \(deleted\))?$/m;
/** No CGI request lives longer: three attempts of 45 s at a slave, and some time for drawing. */
const LONGEST_REQUEST = 5 * MINUTE;

/** By its command line too: mod_perl gives Apache's processes a name of its own. */
function isApache({ name, args: [program = ''] }: Process): boolean {
  return APACHE.test(name) || APACHE.test(basename(program));
}

/** The topmost of the Apache processes that a process descends from. */
function apacheOf(process: Process, all: ReadonlyMap<number, Process>): Process | undefined {
  let found: Process | undefined;
  let parent = all.get(process.parent);
  for (; parent !== undefined && isApache(parent); parent = all.get(parent.parent)) found = parent;
  return found;
}

/**
 * FastCGI hands a program a listening socket as its standard input; CGI a pipe, a connection or nothing. Where we may
 * not look, a program that has lived longer than any request is taken for FastCGI.
 */
async function isFastCgi(process: Process, now: number): Promise<boolean> {
  if (!process.args.some(arg => SCRIPT.test(arg))) return false;
  return (await listensOnStdin(process.pid)) ?? now - process.startedAt > LONGEST_REQUEST;
}

/** Every GBrowse that stays in memory. What another user's process does is seen by root only. */
export async function findResidents(now: number): Promise<Resident[]> {
  const all = await allProcesses();
  const found = await Promise.all(
    [...all.values()].map(async (process): Promise<Resident[]> => {
      const apache = apacheOf(process, all);
      if (await isFastCgi(process, now)) return [{ process, runsAs: 'FastCGI', apache }];
      const isWorker = isApache(process) && apache !== undefined;
      if (isWorker && (await hasMapped(process.pid, GD))) return [{ process, runsAs: 'mod_perl', apache }];
      return [];
    }),
  );
  return found.flat();
}

/** The parents of every Apache's processes on this machine. */
export async function findApaches(): Promise<Process[]> {
  const all = await allProcesses();
  return [...all.values()].filter(process => isApache(process) && apacheOf(process, all) === undefined);
}
