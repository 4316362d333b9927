/** The program's version; the build puts in package.json's. */
export const VERSION = process.env.PROGRAM_VERSION ?? '0.0.0-source';
