"""What a program in the sandbox finds and can do. It runs as generated programs do."""
import ctypes
import errno
import os
import socket
import sys

_libc = ctypes.CDLL(None, use_errno=True)


def _attempt(action):
    """None where it is done, else the name of the error."""
    try:
        action()
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error.errno))


def _call(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "")


def _forks():
    children = []
    try:
        while len(children) < 1000:
            child = os.fork()
            if child == 0:
                while True:
                    os.read(hold[0], 1)
                    os._exit(0)
            children.append(child)
    except OSError:
        pass
    finally:
        os.close(hold[1])
        for child in children:
            os.kill(child, 9)
            os.waitpid(child, 0)
    return len(children)


hold = os.pipe()


def _memory(count):
    try:
        bytearray(count)
        return True
    except MemoryError:
        return False


def facts():
    return {
        "python": tuple(sys.version_info[:2]),
        "user": os.getuid(),
        "process": os.getpid(),
        "parent": os.getppid(),
        "root": sorted(os.listdir("/")),
        "devices": sorted(os.listdir("/dev")),
        "etc": os.listdir("/etc") if os.path.exists("/etc") else [],
        "here": os.listdir("."),
        "files": [fd for fd in range(1024) if _attempt(lambda: os.fstat(fd)) is None],
        "environment": sorted(os.environ),
        "capabilities": [one for one in range(64) if _libc.prctl(23, one, 0, 0, 0) == 1],
        "noNewPrivileges": _libc.prctl(39, 0, 0, 0, 0),
        "seccomp": _libc.prctl(21, 0, 0, 0, 0),
        "writeRoot": _attempt(lambda: os.mkdir("/new")),
        "writeUsr": _attempt(lambda: os.mkdir("/usr/new")),
        "writeHere": _attempt(lambda: os.close(os.open("file", os.O_CREAT | os.O_WRONLY))),
        "socket": _attempt(lambda: socket.socket()),
        "unixSocket": _attempt(lambda: socket.socket(socket.AF_UNIX)),
        "namespace": _attempt(lambda: _call(_libc.unshare(0x10000000))),
        "mount": _attempt(lambda: _call(_libc.mount(b"none", b"/work", b"tmpfs", 0, None))),
        "trace": _attempt(lambda: _call(_libc.ptrace(0, 0, 0, 0))),
        "becomeRoot": _attempt(lambda: os.setuid(0)),
        "forks": _forks(),
        "memory": _memory,
    }
