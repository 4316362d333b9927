/** The program's version; the build inserts that of package.json. */
export const VERSION = process.env.PROGRAM_VERSION ?? '0.0.0-source';
