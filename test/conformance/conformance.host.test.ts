import { describe } from 'node:test';
import { ec2Missing, startEc2 } from '../peers/ec2-stand-in.ts';
import { testInMemory, testOverTheWire } from './runners.ts';

describe('the EC2 in memory behaves as AWS documents', testInMemory);

describe('the EC2 over the wire behaves as AWS documents', { skip: ec2Missing() }, () =>
  testOverTheWire(startEc2),
);
