/** Tests that need the same things, and how many files of them may run at once. */
export type Group = {
  readonly name: string;
  /** What its tests are, for people. */
  readonly what: string;
  /** Glob patterns of its files, from the project's root. */
  readonly files: readonly string[];
  readonly concurrency: number;
  /** Whether its tests run the executable. */
  readonly executable: boolean;
  /** Only run when it is named. */
  readonly apart?: boolean;
};

const FOLDERS = ['world', 'e2e', 'packaging', 'cloud', 'front-door', 'boot'] as const;
const elsewhere = `test/!(${FOLDERS.join('|')})`;

/**
 * In the order in which they run. A file that needs this machine (processes, sockets, root's files, real peers) is called
 * `*.host.test.ts` or lies in `e2e`, `packaging`, `cloud`, `front-door` or `boot`; all
 * others run in virtual time.
 */
export const GROUPS: readonly Group[] = [
  {
    name: 'fast',
    what: 'pure functions, and the loop in virtual time',
    files: [`${elsewhere}/**/!(*.host).test.ts`],
    concurrency: 2,
    executable: false,
  },
  folder('world', 'random histories of a simulated world in which everything breaks', 2, false),
  {
    name: 'host',
    what: "this machine's processes, sockets, files and servers",
    files: [`${elsewhere}/**/*.host.test.ts`],
    concurrency: 2,
    executable: true,
  },
  folder('e2e', 'the executable from outside, against Apache and the EC2 API of moto', 2),
  folder('packaging', 'the package in fresh Debian roots', 2),
  folder('cloud', 'a real GBrowse whose slaves are real hosts', 2),
  folder('front-door', 'what a new user types, on new machines', 1),
  {
    ...folder('boot', 'slaves and sync on machines with a kernel of their own, under qemu', 1, false),
    apart: true,
  },
];

function folder(name: (typeof FOLDERS)[number], what: string, concurrency: number, executable = true): Group {
  return { name, what, files: [`test/${name}/**/*.test.ts`], concurrency, executable };
}
