"""Runs a command in network, mount and process namespaces of its own, as root:

    python3 enter.py COMMAND [ARGUMENT...]

There is a loopback device and no way out: no packet can leave, nothing that is mounted or started in here is seen
outside, and all of it goes when the command ends, however it ends, or when whoever started this dies.
"""
import ctypes
import os
import signal
import sys

CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET = 0x00020000, 0x20000000, 0x40000000
MS_REC, MS_PRIVATE, MS_SHARED = 0x4000, 1 << 18, 1 << 20
PR_SET_PDEATHSIG = 1

KEYS = '/run/gbrowse-aws-balancer-keys'

libc = ctypes.CDLL(None, use_errno=True)


def must(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), f'{what}: {os.strerror(ctypes.get_errno())}')


def mount(source, target, kind, flags=0, data=None):
    names = [name and name.encode() for name in (source, target, kind)]
    must(libc.mount(*names, flags, data and data.encode()), f'mount {target}')


def die_with_parent():
    must(libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL), 'prctl')


def set_up():
    mount('none', '/', None, MS_REC | MS_PRIVATE)
    mount('proc', '/proc', 'proc')
    # Network namespaces by name (ip netns) are this command's own.
    os.makedirs('/run/netns', exist_ok=True)
    mount('netns', '/run/netns', 'tmpfs', 0, 'mode=755')
    mount('none', '/run/netns', None, MS_SHARED)
    # The keys of `sync` and `image`: they remove those of processes that they do not see.
    os.makedirs(KEYS, mode=0o700, exist_ok=True)
    mount('keys', KEYS, 'tmpfs', 0, 'mode=700')
    os.system('ip link set lo up')


def reap_until_end_of(command):
    """As process 1 of the namespace: takes up the orphans, and ends with the status of the command."""
    leave_ctrl_c_to_the_command()
    while True:
        pid, status = os.wait()
        if pid == command:
            return os.waitstatus_to_exitcode(status)


def start(run):
    child = os.fork()
    if child == 0:
        run()
    return child


def leave_ctrl_c_to_the_command():
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def run_command():
    os.execvp(sys.argv[1], sys.argv[1:])


def run_inside():
    die_with_parent()
    set_up()
    status = reap_until_end_of(start(run_command))
    os._exit(status if status >= 0 else 128 - status)


def main():
    die_with_parent()
    must(libc.unshare(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID), 'unshare')
    inside = start(run_inside)
    leave_ctrl_c_to_the_command()
    _, status = os.waitpid(inside, 0)
    sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == '__main__':
    main()
