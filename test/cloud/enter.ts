/**
 * A test file that imports this first runs inside of namespaces of its own (`enter.py`): what it starts cannot be seen
 * or left behind outside, and no packet gets out. Node replaces itself with the same program in there. Where that
 * cannot be it goes on as it is, and `cloudMissing()` says why.
 */
import path from 'node:path';
import { findPython } from '../peers/ec2-stand-in.ts';
import { cloudMissing, INSIDE } from './requirements.ts';

if (cloudMissing() === false && process.env[INSIDE] === undefined) {
  const python = findPython() ?? 'python3';
  const script = path.join(import.meta.dirname, 'enter.py');
  const self = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  process.execve?.(python, [python, '-B', script, ...self], { ...definedOf(process.env), [INSIDE]: '1' });
}

function definedOf(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
