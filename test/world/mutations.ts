import { BUDGET } from './planted/budget.ts';
import { FARM } from './planted/farm.ts';
import { HEALTH } from './planted/health.ts';
import { HISTORY } from './planted/history.ts';
import { INSTANCE_REFRESH } from './planted/instance-refresh.ts';
import { NUMBERS } from './planted/numbers.ts';
import { ON_DEMAND } from './planted/on-demand.ts';
import { OWNERSHIP } from './planted/ownership.ts';
import { PATIENCE } from './planted/patience.ts';
import { PAUSE } from './planted/pause.ts';
import type { Planted } from './planted/planted.ts';
import { SETTLING } from './planted/settling.ts';

/** The original's bugs, one by one, and some that it has not. */
export const PLANTED: readonly Planted[] = [
  ...NUMBERS,
  ...OWNERSHIP,
  ...FARM,
  ...SETTLING,
  ...HEALTH,
  ...INSTANCE_REFRESH,
  ...PATIENCE,
  ...BUDGET,
  ...ON_DEMAND,
  ...PAUSE,
  ...HISTORY,
];
