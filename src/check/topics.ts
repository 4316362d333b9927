import type { Topic } from './topic.ts';
import { clock } from './topics/clock.ts';
import { configuration } from './topics/configuration.ts';
import { credentials } from './topics/credentials.ts';
import { encryption } from './topics/encryption.ts';
import { farmFile } from './topics/farm-file.ts';
import { following } from './topics/following.ts';
import { gbrowse } from './topics/gbrowse.ts';
import { image } from './topics/image.ts';
import { instanceTypes } from './topics/instance-types.ts';
import { keyPair } from './topics/key-pair.ts';
import { leftovers } from './topics/leftovers.ts';
import { loadLog } from './topics/load-log.ts';
import { master } from './topics/master.ts';
import { modStatus } from './topics/mod-status.ts';
import { network } from './topics/network.ts';
import { notifications } from './topics/notifications.ts';
import { permissions } from './topics/permissions.ts';
import { price } from './topics/price.ts';
import { region } from './topics/region.ts';
import { snapshots } from './topics/snapshots.ts';
import { user } from './topics/user.ts';

/** All topics, in the order of the report: this machine first, then EC2. A new topic is a line here. */
export const TOPICS: readonly Topic[] = [
  configuration,
  master,
  user,
  modStatus,
  loadLog,
  farmFile,
  following,
  gbrowse,
  notifications,
  region,
  clock,
  credentials,
  permissions,
  image,
  instanceTypes,
  price,
  snapshots,
  encryption,
  network,
  keyPair,
  leftovers,
];
