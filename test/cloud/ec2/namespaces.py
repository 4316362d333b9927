"""Commands, and sockets inside of another network namespace."""
import ctypes
import os
import socket
import subprocess
import threading

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def sh(*command, stdin=None, check=True):
    done = subprocess.run(command, input=stdin, text=True, capture_output=True)
    if check and done.returncode != 0:
        raise RuntimeError(f'{" ".join(command)}: {done.stdout}{done.stderr}'.strip())
    return done.stdout.strip()


def ip(*lines, namespace=None):
    inside = ['-n', namespace] if namespace else []
    sh('ip', *inside, '-batch', '-', stdin=''.join(f'{line}\n' for line in lines))


def listen_in(namespace, address):
    return in_namespace(namespace, lambda: listen(address))


def in_namespace(namespace, open_socket):
    """A socket that is opened in a network namespace. A thread moves there and ends; what it opened stays there."""
    made = []

    def open_it():
        try:
            descriptor = os.open(f'/run/netns/{namespace}', os.O_RDONLY)
            if libc.setns(descriptor, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), 'setns')
            os.close(descriptor)
            made.append(open_socket())
        except OSError as problem:
            made.append(problem)

    thread = threading.Thread(target=open_it)
    thread.start()
    thread.join()
    if isinstance(made[0], OSError):
        raise made[0]
    return made[0]


def listen(address):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    listener.listen(64)
    return listener
