import { loadConfig } from '../../config/load.ts';
import { runKeeper } from '../../daemon/keeper-main.ts';
import { createFarm } from '../../farm/create.ts';
import { findRenderfarm } from '../../farm/locate.ts';

/** The part of a daemon that keeps root's rights; not a command, the daemon starts it. */
export async function keeper(): Promise<void> {
  runKeeper({ loadConfig, findRenderfarm, createFarm });
}
