import { demo } from './demo.ts';

process.exitCode = await demo();
