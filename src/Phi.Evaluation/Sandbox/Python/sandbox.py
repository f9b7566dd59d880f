"""
Judges one program. Three processes: this one stays outside and holds the time, the memory and the output; the checker is process 1 of
a namespace that this one can end at once; the program is process 1 of a namespace within that. See the README beside.

Standard input: frames, see wire.py: the limits, the program; and when both processes are there the reference, the entry point and the
tests. It stays open: closed, all is over. Standard output: the verdict, a sentence, seconds, output and error of the program.
"""
import os
import select
import signal
import sys
import time

import checker
import isolation
import program
import wire

# The folder of this file: it is not in the sandbox, and nothing else may be taken for one of Python's own modules.
del sys.path[0]
TICK = 0.05
NAMESPACES = ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup")
# This process, the checker and the program itself are of the number that the kernel counts; the checker's own memory is not the program's.
OWN_PROCESSES = 3
CHECKER_SPARE = 512 << 20


class Limits:
    def __init__(self, text):
        values = dict(line.split("=") for line in text.split("\n"))
        self.seconds = float(values["seconds"])
        self.cpu_seconds = int(values["cpuSeconds"])
        self.memory = int(values["memoryBytes"])
        self.processes = int(values["processes"])
        self.file = int(values["fileBytes"])
        self.work = int(values["workBytes"])
        self.files = int(values["openFiles"])
        self.output = int(values["outputBytes"])


class Output:
    """What the program wrote to one stream, up to a bound; beyond it all is read, and dropped."""

    def __init__(self, fd, most):
        self.fd, self.most, self.kept, self.total = fd, most, bytearray(), 0
        os.set_blocking(fd, False)

    def drain(self):
        """False: nobody can write any more."""
        for _ in range(16):
            try:
                part = os.read(self.fd, 1 << 16)
            except BlockingIOError:
                return True
            if not part:
                return False
            self.total += len(part)
            self.kept += part[:self.most - len(self.kept)]
        return True


def main():
    # A group of its own each: kill(0) reaches a group, whatever namespaces its processes are in, and Ctrl-C is the caller's to handle.
    os.setsid()
    report = os.dup(1)
    # Nothing that Python itself may print belongs to the report.
    os.dup2(2, 1)
    try:
        limits = Limits(str(wire.read(0), "utf-8"))
        text = str(wire.read(0), "utf-8", "surrogatepass")
        answer = judge(limits, text)
    except isolation.Refused as error:
        answer = ("refused", str(error), 0.0, None, None)
    except OSError as error:
        answer = ("refused", "%s. The sandbox needs /proc, /dev and /tmp of the machine, and processes, files and memory to begin with." % error, 0.0, None, None)
    verdict, sentence, seconds, output, error = answer
    for part in (verdict, sentence, "%.4f" % seconds):
        wire.write(report, part.encode("utf-8", "replace"))
    for stream in (output, error):
        wire.write(report, bytes(stream.kept) if stream else b"")
        wire.write(report, b"%d" % (stream.total if stream else 0))


def judge(limits, text):
    outside = {name: os.readlink("/proc/self/ns/" + name) for name in NAMESPACES}
    isolation.enter_namespaces()
    isolation.hide_memory()
    out, err, verdict, suite, life = (os.pipe() for _ in range(5))
    started = time.monotonic()
    checking = os.fork()
    if checking == 0:
        try:
            become_checker(limits, text, outside, out[1], err[1], verdict[1], suite[0], life)
        except isolation.Refused as error:
            tell(verdict[1], "refused", str(error))
        except BaseException as error:
            tell(verdict[1], "refused", "%s: %s" % (type(error).__name__, error))
        finally:
            os._exit(0)
    for fd in (out[1], err[1], verdict[1], suite[0], life[0]):
        os.close(fd)
    isolation.drop_rights()
    output, error = Output(out[0], limits.output), Output(err[0], limits.output)
    try:
        said = watch(limits, started, checking, output, error, verdict[0], suite[1])
    finally:
        os.kill(checking, signal.SIGKILL)
        # Returns when every process of the namespace is gone.
        os.waitpid(checking, 0)
    seconds = time.monotonic() - started
    for stream in (output, error):
        while stream.drain() and stream.total < 1 << 24:
            pass
    return said + (seconds, output, error)


def watch(limits, started, checking, output, error, verdict, suite):
    """A verdict and a sentence."""
    poll = select.poll()
    for fd in (output.fd, error.fd, verdict):
        poll.register(fd, select.POLLIN)
    poll.register(0, 0)
    deadline, sample = started + limits.seconds, started + TICK
    ready = False
    while True:
        now = time.monotonic()
        if now >= deadline:
            return "time", "no verdict after %g seconds" % limits.seconds
        if now >= sample:
            sample = now + TICK
            used = memory_of(checking)
            if used > limits.memory:
                return "memory", "its processes held %d bytes; %d are allowed" % (used, limits.memory)
        for fd, events in poll.poll(max(0.0, min(deadline, sample) - now) * 1000):
            if fd == 0:
                # Whoever asked is gone: nobody reads an answer.
                os.kill(checking, signal.SIGKILL)
                os.waitpid(checking, 0)
                os._exit(1)
            elif fd == verdict:
                said = wire.read(verdict, 1 << 20)
                if said is None:
                    # Before it begins nothing of the program's has run in it or against it.
                    return ("failed" if ready else "refused"), "the checker's process ended without a verdict"
                word, sentence = str(said, "utf-8", "replace").split("\n", 1)
                if word != "ready":
                    return word, sentence
                ready = True
                # Not before: the program's process began as a copy of the checker's.
                for _ in range(3):
                    wire.write(suite, wire.read(0))
                os.close(suite)
            else:
                stream = output if fd == output.fd else error
                if not stream.drain():
                    poll.unregister(fd)


def inside(outside):
    for name, ours in outside.items():
        if os.readlink("/proc/self/ns/" + name) == ours:
            raise isolation.Refused("the %s namespace of the sandbox is the host's. %s" % (name, isolation.NAMESPACES))


def memory_of(checking):
    """Bytes of the program's processes that are of no file and in memory."""
    total, pending = 0, children(checking)
    while pending:
        process = pending.pop()
        try:
            with open("/proc/%d/statm" % process, "rb") as file:
                _, resident, shared = file.read().split()[:3]
            total += (int(resident) - int(shared)) * 4096
            pending += children(process)
        except OSError:
            continue
    return total


def children(process):
    found = []
    try:
        for thread in os.listdir("/proc/%d/task" % process):
            with open("/proc/%d/task/%s/children" % (process, thread), "rb") as file:
                found += map(int, file.read().split())
    except OSError:
        pass
    return found


def tell(fd, verdict, sentence):
    wire.write(fd, ("%s\n%s" % (verdict, sentence)).encode("utf-8", "replace"))


def become_checker(limits, text, outside, out, err, verdict, suite, life):
    os.setsid()
    os.close(life[1])
    isolation.die_with_parent(life[0])
    isolation.new_mounts()
    inside(outside)
    isolation.own_root(limits.work)
    isolation.host_name("sandbox")
    isolation.new_processes()
    os.environ.clear()
    os.environ.update(PATH="/usr/bin:/bin", HOME="/work", TMPDIR="/work", LANG="C.UTF-8", TZ="UTC")
    time.tzset()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    theirs, ours = os.pipe(), os.pipe()
    life_of_checker = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            become_program(limits, text, theirs[0], ours[1], out, err, life_of_checker)
        finally:
            os._exit(0)
    null = os.open("/dev/null", os.O_RDWR)
    isolation.keep_files(null, null, null, verdict, suite, ours[0], theirs[1], life_of_checker[1])
    verdict, suite, channel = 3, 4, (5, 6)
    isolation.drop_rights()
    isolation.filter_calls()
    isolation.limit(AS=limits.memory + CHECKER_SPARE, CORE=0, FSIZE=limits.file, NOFILE=64)
    tell(verdict, "ready", "")
    reference, entry, tests = (str(wire.read(suite), "utf-8", "surrogatepass") for _ in range(3))
    word, sentence = checker.check(channel, reference, entry, tests.split("\0"))
    if word == "ended":
        word, sentence = ending(child, limits)
    tell(verdict, word, sentence)


def ending(child, limits):
    _, status, usage = os.wait4(child, 0)
    if not os.WIFSIGNALED(status):
        return "ended", "the program ended with code %d before the test did" % os.WEXITSTATUS(status)
    number = os.WTERMSIG(status)
    if number != signal.SIGKILL:
        return "ended", "the program ended by signal %d before the test did" % number
    if usage.ru_utime + usage.ru_stime >= limits.cpu_seconds - 0.5:
        return "time", "it used %d seconds of a processor" % limits.cpu_seconds
    return "memory", "the kernel ended the program: the machine's memory was used up"


def become_program(limits, text, read, write, out, err, life):
    os.setsid()
    os.close(life[1])
    isolation.die_with_parent(life[0])
    null = os.open("/dev/null", os.O_RDONLY)
    isolation.keep_files(null, out, err, read, write)
    isolation.drop_rights()
    isolation.filter_calls()
    isolation.limit(AS=limits.memory, CPU=limits.cpu_seconds, NPROC=limits.processes + OWN_PROCESSES, FSIZE=limits.file, NOFILE=limits.files, CORE=0, MSGQUEUE=0)
    sys.argv = [""]
    program.run((3, 4), text)


if __name__ == "__main__":
    main()
