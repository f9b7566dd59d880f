"""What takes a process out of the host: namespaces, a root of its own, no rights, no calls that it does not need, limits.

Linux alone, by its C library: nothing has to be installed. Every step that fails raises Refused with what is missing: nothing runs
in part of a sandbox.
"""
import ctypes
import errno
import os
import resource
import struct
import sys

_libc = ctypes.CDLL(None, use_errno=True)

NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_SECUREBITS, PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, PR_CAP_AMBIENT = 1, 4, 24, 28, 38, 22, 47
USER = 1000
NOBODY = 65534

_X86, _ARM = "x86_64", "aarch64"
_AUDIT = {_X86: 0xC000003E, _ARM: 0xC00000B7}
_CLONE = {_X86: 56, _ARM: 220}
_CLONE3 = 435
# By name, for x86-64 and for 64-bit ARM. What makes a namespace, a mount or a socket, looks into a process, holds memory that no limit
# counts, or reaches parts of the kernel that no program here needs.
_DENIED = {
    "socket": (41, 198), "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "process_madvise": (440, 440),
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432),
    "fspick": (433, 433), "mount_setattr": (442, 442), "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194), "msgget": (68, 186), "semget": (64, 190), "mq_open": (240, 180),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "vmsplice": (278, 75), "fanotify_init": (300, 262),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219), "personality": (135, 92), "syslog": (103, 116),
    "swapon": (167, 224), "swapoff": (168, 225), "reboot": (169, 142), "sethostname": (170, 161), "setdomainname": (171, 162),
    "init_module": (175, 105), "delete_module": (176, 106), "finit_module": (313, 273), "kexec_load": (246, 104), "kexec_file_load": (320, 294),
    "acct": (163, 89), "quotactl": (179, 60), "settimeofday": (164, 170), "clock_settime": (227, 112), "clock_adjtime": (305, 266),
    "adjtimex": (159, 171), "lookup_dcookie": (212, 18),
}
_X86_DENIED = (154, 172, 173)  # modify_ldt, iopl, ioperm
_SYSTEM = {"mount_setattr": (442, 442), "pivot_root": (155, 41), "capset": (126, 91)}


class Refused(Exception):
    """This machine does not give what the sandbox needs. The message names it, and the remedy."""


def machine():
    name = os.uname().machine
    if name not in _AUDIT:
        raise Refused("the processor is %s; system calls are filtered on x86_64 and aarch64 alone. Evaluate on one of these." % name)
    return name


def _number(name):
    return _SYSTEM[name][0 if machine() == _X86 else 1]


def _check(result, step, remedy):
    if result < 0:
        code = ctypes.get_errno()
        raise Refused("%s: %s. %s" % (step, os.strerror(code), remedy))


NAMESPACES = ("New namespaces are refused. On the machine: sysctl user.max_user_namespaces above 0, kernel.unprivileged_userns_clone=1 and "
               "kernel.apparmor_restrict_unprivileged_userns=0 where these exist. In a container: a seccomp and AppArmor profile that allows unshare, mount "
               "and pivot_root (for Docker --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined).")
_MOUNTS = ("Mounts are refused in a namespace of one's own. In a container give it a profile that allows mount and pivot_root "
           "(for Docker --security-opt seccomp=unconfined --security-opt apparmor=unconfined).")
_KERNEL = "The kernel must be Linux 5.14 or newer."


def die_with_parent(life):
    """`life`: the reading end of a pipe whose writing end the parent alone has: closed, it is gone already."""
    _check(_libc.prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0), "prctl(PR_SET_PDEATHSIG)", _KERNEL)
    os.set_blocking(life, False)
    try:
        if os.read(life, 1) == b"":
            os._exit(1)
    except BlockingIOError:
        pass


def enter_namespaces():
    """
    Into namespaces of users, network, IPC, host name and cgroups; what is forked from now on is in one of processes. There the
    process is user 1000, which outside is the caller, or nobody where the caller is the machine's root, whose processes no limit counts.
    """
    flags = NEWUSER | NEWNET | NEWIPC | NEWUTS | NEWCGROUP | NEWPID
    if os.geteuid() == 0 and _is_root_outside():
        _as_nobody(flags)
        return
    uid, gid = os.geteuid(), os.getegid()
    _check(_libc.unshare(flags), "unshare", NAMESPACES)
    _map("self", uid, gid)


def _is_root_outside():
    """Root of a container may be an ordinary user outside, and has one user then."""
    with open("/proc/self/uid_map") as file:
        return any(line.split()[:2] == ["0", "0"] for line in file)


def _as_nobody(flags):
    ready = os.pipe()
    me = os.getpid()
    helper = os.fork()
    if helper == 0:
        code = 1
        try:
            os.close(ready[1])
            if os.read(ready[0], 1):
                _map(str(me), NOBODY, NOBODY)
                code = 0
        finally:
            os._exit(code)
    os.close(ready[0])
    try:
        os.setgroups([])
        _check(_libc.unshare(flags), "unshare", NAMESPACES)
        os.write(ready[1], b"1")
    except OSError as error:
        raise Refused("leaving root's groups: %s. Run phi as another user, or with the right CAP_SETGID." % error)
    finally:
        os.close(ready[1])
        _, status = os.waitpid(helper, 0)
    if status != 0:
        raise Refused("the user %d cannot be mapped into a new user namespace. %s" % (NOBODY, NAMESPACES))
    os.setresgid(USER, USER, USER)
    os.setresuid(USER, USER, USER)


def _map(process, uid, gid):
    for name, text in (("setgroups", "deny"), ("uid_map", "%d %d 1" % (USER, uid)), ("gid_map", "%d %d 1" % (USER, gid))):
        try:
            fd = os.open("/proc/%s/%s" % (process, name), os.O_WRONLY)
            try:
                os.write(fd, text.encode())
            finally:
                os.close(fd)
        except OSError as error:
            raise Refused("/proc/%s/%s: %s. %s" % (process, name, error.strerror, NAMESPACES))


def hide_memory():
    """No other process of this user may read this one's memory, nor that of what it forks."""
    _check(_libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "prctl(PR_SET_DUMPABLE)", _KERNEL)


def new_mounts():
    _check(_libc.unshare(NEWNS), "unshare(CLONE_NEWNS)", NAMESPACES)


def new_processes():
    _check(_libc.unshare(NEWPID), "unshare(CLONE_NEWPID)", NAMESPACES)


def host_name(name):
    _libc.sethostname(name.encode(), len(name))


def _mount(source, target, kind, flags, options=None):
    result = _libc.mount(source and source.encode(), target.encode(), kind and kind.encode(), ctypes.c_ulong(flags), options and options.encode())
    _check(result, "mount of %s on %s" % (source or kind, target), _MOUNTS)


def _restrict(target, attributes):
    """Of all mounts below too, and leaving what the host has restricted already."""
    body = struct.pack("=QQQQ", attributes, 0, 0, 0)
    result = _libc.syscall(_number("mount_setattr"), -100, target.encode(), 0x8000, body, ctypes.c_size_t(len(body)))
    _check(result, "mount_setattr of %s" % target, _KERNEL)


def _system_folders():
    """Where Python and its libraries are: /usr, the folders beside it that hold libraries, and Python's own prefix where that is elsewhere."""
    folders = ["/usr"] + [name for name in ("/lib", "/lib64", "/lib32", "/libx32") if os.path.isdir(name)]
    if not any(os.path.realpath(os.__file__).startswith(folder + "/") for folder in folders):
        prefix = os.path.realpath(sys.base_prefix)
        if prefix == "/":
            raise Refused("Python's prefix is /, which would show all of the machine. Name another Python with --python.")
        folders.append(prefix)
    return folders


def own_root(work_bytes):
    """
    A root that holds Python, five devices, and an empty folder in memory to work in. All but that folder is read-only; nothing of the
    host's /proc, /sys, /home, /root, /tmp, /run, /var or /etc is there.
    """
    base = "/tmp"
    # Opened first: what lies below /tmp is hidden by the next mount.
    folders = [(folder, os.readlink(folder) if os.path.islink(folder) else _open_folder(folder)) for folder in _system_folders()]
    devices = [(name, os.open("/dev/" + name, os.O_PATH)) for name in ("null", "zero", "full", "random", "urandom")]
    cache = os.open("/etc/ld.so.cache", os.O_PATH) if os.path.exists("/etc/ld.so.cache") else None
    os.umask(0o022)
    _mount(None, "/", None, MS_REC | MS_PRIVATE)
    _mount("tmpfs", base, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=1m,nr_inodes=256")
    for folder, source in folders:
        if isinstance(source, str):
            os.symlink(source, base + folder)
            continue
        os.makedirs(base + folder)
        _mount("/proc/self/fd/%d" % source, base + folder, None, MS_BIND | MS_REC)
        _restrict(base + folder, MS_RDONLY | MS_NOSUID | MS_NODEV)
        os.close(source)
    for name, source in devices:
        os.makedirs(base + "/dev", exist_ok=True)
        _show_file(source, base + "/dev/" + name)
        _restrict(base + "/dev/" + name, MS_NOSUID | MS_NOEXEC)
    if cache is not None:
        os.mkdir(base + "/etc")
        _show_file(cache, base + "/etc/ld.so.cache")
        _restrict(base + "/etc/ld.so.cache", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)
    os.mkdir(base + "/work")
    os.symlink("work", base + "/tmp")
    _mount("tmpfs", base + "/work", "tmpfs", MS_NOSUID | MS_NODEV, "mode=700,size=%d,nr_inodes=4096" % work_bytes)
    os.chdir(base)
    _check(_libc.syscall(_number("pivot_root"), b".", b"."), "pivot_root", _MOUNTS)
    _check(_libc.umount2(b".", 2), "umount2 of the host's root", _MOUNTS)
    _mount(None, "/", None, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)
    os.chdir("/work")


def _open_folder(folder):
    try:
        return os.open(folder, os.O_PATH | os.O_DIRECTORY)
    except OSError as error:
        raise Refused("%s: %s. Programs of root run as nobody, who must be able to read Python: name one with --python that is not in a home." % (folder, error.strerror))


def _show_file(source, target):
    os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    _mount("/proc/self/fd/%d" % source, target, None, MS_BIND)
    os.close(source)


def drop_rights():
    """No capability is left, and none comes back by executing anything."""
    for capability in range(64):
        if _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0:
            break
    _libc.prctl(PR_CAP_AMBIENT, 4, 0, 0, 0)
    _check(_libc.prctl(PR_SET_SECUREBITS, 0x2F, 0, 0, 0), "prctl(PR_SET_SECUREBITS)", _KERNEL)
    header, data = struct.pack("=Ii", 0x20080522, 0), bytes(24)
    _check(_libc.syscall(_number("capset"), header, data), "capset", _KERNEL)
    _check(_libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl(PR_SET_NO_NEW_PRIVS)", _KERNEL)


def filter_calls():
    name = machine()
    which = 0 if name == _X86 else 1
    denied = sorted({numbers[which] for numbers in _DENIED.values()} | set(_X86_DENIED if name == _X86 else ()))
    load, jump_if, jump_from, jump_bits, answer = 0x20, 0x15, 0x35, 0x45, 0x06
    kill, allow = 0x80000000, 0x7FFF0000
    code = [(load, 0, 0, 4), (jump_if, 1, 0, _AUDIT[name]), (answer, 0, 0, kill), (load, 0, 0, 0)]
    if name == _X86:
        code += [(jump_from, 0, 1, 0x40000000), (answer, 0, 0, kill)]
    for number in denied:
        code += [(jump_if, 0, 1, number), (answer, 0, 0, 0x50000 | errno.EPERM)]
    # The C library tries clone3, whose flags lie in memory, and then clone, whose flags can be seen.
    code += [(jump_if, 0, 1, _CLONE3), (answer, 0, 0, 0x50000 | errno.ENOSYS)]
    code += [(jump_if, 0, 3, _CLONE[name]), (load, 0, 0, 16), (jump_bits, 0, 1, 0x7E020000), (answer, 0, 0, 0x50000 | errno.EPERM), (answer, 0, 0, allow)]
    body = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *one) for one in code))
    program = ctypes.create_string_buffer(struct.pack("@HP", len(code), ctypes.addressof(body)))
    _check(_libc.prctl(PR_SET_SECCOMP, 2, ctypes.c_void_p(ctypes.addressof(program)), 0, 0), "prctl(PR_SET_SECCOMP)", _KERNEL)


def limit(**limits):
    """Both the soft and the hard one: neither can be raised again."""
    for name, value in limits.items():
        resource.setrlimit(getattr(resource, "RLIMIT_" + name), (value, value))


def keep_files(*kept):
    """Moves the files to 0, 1, 2, …, and closes all others."""
    high = [os.dup2(fd, 200 + place) for place, fd in enumerate(kept)]
    for place, fd in enumerate(high):
        os.dup2(fd, place, inheritable=True)
    os.closerange(len(kept), max(1024, *high) + 1)
    ceiling = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if ceiling > 1024 and _libc.syscall(436, ctypes.c_uint(len(kept)), ctypes.c_uint(0xFFFFFFFF), 0) != 0:
        os.closerange(len(kept), ceiling)
