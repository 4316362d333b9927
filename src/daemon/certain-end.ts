/**
 * Ends this process even if a thread of it hangs in the file system (a dead NFS server, say): `process.exit` waits for
 * such threads. What the kernel has not begun by then does not happen.
 */
export function endNow(): void {
  process.kill(process.pid, 'SIGKILL');
}

/** Ends this process so much later (ms) unless it has ended by itself; with its exit status, unless a thread hangs. */
export function endWithin(limit: number): void {
  setTimeout(() => {
    if (process.getActiveResourcesInfo().some(it => /^(FSReq|GetAddrInfo)/.test(it))) endNow();
    else process.exit();
  }, limit).unref();
}
