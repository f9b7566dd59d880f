using System.Net;
using System.Net.Sockets;
using Phi.Evaluation.Sandbox;

namespace Phi.Evaluation.Tests;

/// <summary>Programs that would pass without solving anything, that use up the machine, or that look around on it.</summary>
[Collection(SandboxCollection.Name)]
public sealed class HostileProgramTests(Sandboxes sandboxes)
{
    /// <summary>None of them solves anything: none may pass.</summary>
    [Theory]
    [InlineData("import os; os._exit(0)")]
    [InlineData("import sys; sys.exit(0)")]
    [InlineData("raise SystemExit")]
    [InlineData("exit()")]
    [InlineData("def f(x):\n    import os; os._exit(0)")]
    [InlineData("def f(x):\n    raise SystemExit(0)")]
    [InlineData("import atexit, os\natexit.register(lambda: os._exit(0))\ndef f(x): raise SystemExit")]
    [InlineData("print('passed'); print('1 passed', flush=True)\ndef f(x): print('passed')")]
    [InlineData("import os\nfor fd in range(3, 200):\n    for word in (b'passed\\n', b'\\0\\0\\0\\7passed\\n'):\n        try: os.write(fd, word)\n        except OSError: pass\ndef f(x): return 0")]
    [InlineData("import os\nos.write(4, b'\\0\\0\\0\\1K' + b'\\0\\0\\0\\6VO\\0\\0\\0\\0' + b'\\0\\0\\0\\6VB\\0\\0\\0\\1' * 9)")]
    [InlineData("import os\nos.write(4, b'\\0\\0\\0\\1K' + b'\\0\\0\\0\\6VR\\0\\0\\0\\0' * 9)")]
    [InlineData("import os\nos.write(4, b'\\xff\\xff\\xff\\xffK')")]
    [InlineData("import os\nos.write(4, b'\\0\\0\\0\\1K\\0\\0\\0\\6Vl\\xff\\xff\\xff\\xff')")]
    [InlineData("import os\nos.closerange(0, 300)")]
    [InlineData("import builtins\nbuiltins.check = lambda c: None\nbuiltins.AssertionError = Exception\ncheck = lambda c: None\ndef f(x): return 0")]
    [InlineData("import builtins\nbuiltins.compile = builtins.exec = lambda *a, **b: None\ndef f(x): return 0")]
    [InlineData("import sys\nsys.excepthook = lambda *a: None\ndef f(x): raise AssertionError")]
    [InlineData("import sys, types\nfor name in list(sys.modules):\n    if name != 'sys': sys.modules[name] = types.ModuleType(name)\ndef f(x): return 0")]
    [InlineData("import sys\ndef f(x):\n    frame = sys._getframe()\n    while frame:\n        for name in list(frame.f_globals):\n            if name in ('check', 'checker', 'candidate', 'test'): frame.f_globals[name] = lambda *a: None\n        frame = frame.f_back\n    return 0")]
    [InlineData("import gc\ndef f(x):\n    for one in gc.get_objects():\n        if callable(one) and getattr(one, '__name__', '') == 'check': one.__code__ = (lambda c: None).__code__\n    return 0")]
    [InlineData("class Any:\n    def __eq__(self, other): return True\n    def __ne__(self, other): return False\n    __req__ = __eq__\n    def __bool__(self): return True\ndef f(x): return Any()")]
    [InlineData("class Any(int):\n    def __eq__(self, other): return True\n    def __hash__(self): return 2\ndef f(x): return Any(77)")]
    [InlineData("import threading, os\nthreading.Thread(target=lambda: os._exit(0)).start()\ndef f(x):\n    import time\n    time.sleep(1)")]
    [InlineData("import signal, os\nos.kill(os.getppid(), 9)\nos.kill(1, 9)\nos.kill(0, 9)\nos.killpg(0, 9)\ndef f(x): return 0")]
    [InlineData("import os\nfor process in range(-1, 400):\n    try: os.kill(process, 9)\n    except OSError: pass\ndef f(x): return 0")]
    [InlineData("import ctypes\nctypes.string_at(0)")]
    [InlineData("import os; os.abort()")]
    [InlineData("import sys\nsys.setrecursionlimit(10**8)\ndef f(x):\n    value = []\n    for i in range(10**5): value = [value]\n    return value")]
    [InlineData("def f(x): return 'x' * (80 << 20)")]
    [InlineData("import ctypes\ndef f(x):\n    ctypes.pythonapi.Py_Finalize()")]
    [InlineData("import os\nif os.fork() == 0:\n    def f(x): return 0\nelse:\n    os._exit(0)")]
    public async Task Run_AProgramThatForgesItsVerdict_DoesNotPass(string program)
    {
        var result = await sandboxes.RunAsync(program);

        Assert.NotEqual(Verdict.Passed, result.Verdict);
    }

    /// <summary>The reference and the tests are in no process that the program can look into.</summary>
    [Fact]
    public async Task Run_AProgramThatSearchesItsMemory_FindsNoTest()
    {
        var result = await sandboxes.RunAsync(new SandboxProgram
        {
            Program = "import gc, sys\ndef f(x):\n    seen = repr([one for one in gc.get_objects() if isinstance(one, (str, list, dict, tuple))]) + repr(sys._getframe(1).f_locals)\n    return ('SECRET' + '-EXPECTED') in seen or ('SECRET' + '-REFERENCE') in seen",
            Reference = "def f(x): return False # SECRET-REFERENCE",
            EntryPoint = "f",
            Tests = ["# SECRET-EXPECTED\ndef check(candidate):\n    assert candidate('seen') is False\n"],
        });

        Assert.True(result.Verdict == Verdict.Passed, result.ToString());
    }

    [Theory]
    [InlineData("while True: pass", Verdict.TimedOut)]
    [InlineData("def f(x):\n    while True: pass", Verdict.TimedOut)]
    [InlineData("import time; time.sleep(1000)", Verdict.TimedOut)]
    [InlineData("import signal\nfor one in range(1, 65):\n    try: signal.signal(one, signal.SIG_IGN)\n    except (OSError, ValueError): pass\nwhile True: pass", Verdict.TimedOut)]
    [InlineData("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", Verdict.TimedOut)]
    [InlineData("import os\nfor i in range(4): os.fork()\nwhile True: pass", Verdict.TimedOut)]
    [InlineData("import os\nwhile True: os.write(1, b'x' * 65536); os.write(2, b'y' * 65536)", Verdict.TimedOut)]
    public async Task Run_AProgramThatGoesOnForEver_IsEnded(string program, Verdict verdict)
    {
        var brief = await Sandboxes.BriefAsync();

        var result = await brief.RunAsync(new SandboxProgram { Program = program, Reference = Sandboxes.Addition, EntryPoint = "f", Tests = ["def check(candidate): candidate(1)"] }, TestContext.Current.CancellationToken);

        // Processes that spin may be met by the bound on memory first: each is a Python.
        Assert.True(result.Verdict == verdict || result.Verdict == Verdict.OutOfMemory, result.ToString());
        Assert.InRange(result.Output.Length, 0, 1200);
        Assert.Empty(Sandboxes.Processes());
    }

    [Theory]
    [InlineData("x = bytearray(1 << 32)")]
    [InlineData("x = []\nwhile True: x.append(bytearray(1 << 20))")]
    [InlineData("def f(x):\n    return 'x' * (1 << 31)")]
    [InlineData("import os, time\nfor i in range(7):\n    if os.fork() == 0:\n        x = b'1' * (100 << 20)\n        time.sleep(1000)\ntime.sleep(1000)")]
    public async Task Run_AProgramThatHogsMemory_IsEnded(string program) => Assert.Equal(Verdict.OutOfMemory, (await sandboxes.RunAsync(program)).Verdict);

    /// <summary>The program says what it could do; a name that is not expected fails the test.</summary>
    [Theory]
    [InlineData("open('/etc/shadow').read()", "ENOENT")]
    [InlineData("os.listdir('/root')", "ENOENT")]
    [InlineData("os.listdir('/home')", "ENOENT")]
    [InlineData("os.listdir('/proc')", "ENOENT")]
    [InlineData("os.listdir('/sys')", "ENOENT")]
    [InlineData("os.listdir('/var')", "ENOENT")]
    [InlineData("open('/dev/mem')", "ENOENT")]
    [InlineData("open('/proc/1/environ')", "ENOENT")]
    [InlineData("open('/new', 'w')", "EROFS")]
    [InlineData("open('/usr/lib/new', 'w')", "EROFS")]
    [InlineData("open('/dev/new', 'w')", "EROFS")]
    [InlineData("os.chmod('/usr', 0o777)", "EROFS")]
    [InlineData("os.mknod('device', 0o600 | 0o020000, os.makedev(1, 1))", "EPERM")]
    [InlineData("open('big', 'wb').write(b'x' * (3 << 20))", "EFBIG")]
    [InlineData("[open('file%d' % i, 'wb').write(b'x' * 500000) for i in range(9)]", "ENOSPC")]
    [InlineData("[open('/dev/null') for i in range(100)]", "EMFILE")]
    [InlineData("os.setuid(0)", "EINVAL")]
    [InlineData("os.chroot('/')", "EPERM")]
    [InlineData("call(libc.mount(b'none', b'/work', b'tmpfs', 0, None))", "EPERM")]
    [InlineData("call(libc.unshare(0x10000000))", "EPERM")]
    [InlineData("call(libc.ptrace(16, 1, 0, 0))", "EPERM")]
    [InlineData("call(libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0))", "EPERM")]
    [InlineData("call(libc.syscall(435, bytes(88), 88))", "ENOSYS")]
    [InlineData("call(libc.syscall(319, b'a', 0))", "EPERM")]
    [InlineData("call(libc.syscall(425, 8, bytes(120)))", "EPERM")]
    [InlineData("socket.socket(socket.AF_INET)", "EPERM")]
    [InlineData("socket.socket(socket.AF_UNIX)", "EPERM")]
    [InlineData("socket.socket(socket.AF_VSOCK)", "EPERM")]
    [InlineData("resource.setrlimit(resource.RLIMIT_NPROC, (1000, 1000))", "ValueError")]
    [InlineData("os.sethostname if hasattr(os, 'sethostname') else socket.sethostname('x')", "EPERM")]
    public async Task Run_AProgramThatLooksAround_GetsNothing(string action, string error)
    {
        Assert.SkipWhen(System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture != System.Runtime.InteropServices.Architecture.X64 && action.Contains("syscall", StringComparison.Ordinal), "the numbers of calls are x86-64's");
        var program = "import ctypes, errno, os, resource, socket\nlibc = ctypes.CDLL(None, use_errno=True)\ndef call(result):\n    if result < 0: raise OSError(ctypes.get_errno(), '')\ndef f(x):\n    try:\n        "
            + action + "\n        return 'done'\n    except OSError as error:\n        return errno.errorcode[error.errno]\n    except Exception as error:\n        return type(error).__name__\n";

        var result = await sandboxes.RunAsync(new SandboxProgram { Program = program, Reference = "def f(x): pass", EntryPoint = "f", Tests = [$"def check(candidate):\n    found = candidate(1)\n    assert found == '{error}', found\n"] });

        Assert.True(result.Verdict == Verdict.Passed, result.ToString());
    }

    [Fact]
    public async Task Run_AProgramThatFloodsItsOutput_IsCutAndSaid()
    {
        var result = await sandboxes.RunAsync("import os\nfor i in range(100): os.write(1, b'x' * 65536)\n" + Sandboxes.Addition);

        Assert.Equal(Verdict.Passed, result.Verdict);
        Assert.EndsWith("x\n[cut: 1000 bytes are kept, at least 6553600 were written]", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_AProgramThatLeavesDaemons_LeavesNone()
    {
        var result = await sandboxes.RunAsync("import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        time.sleep(1000)\n    os._exit(0)\n" + Sandboxes.Addition);

        Assert.Equal(Verdict.Passed, result.Verdict);
    }

    [Fact]
    public async Task Run_SetuidPrograms_GiveNothing()
    {
        var result = await sandboxes.RunAsync(new SandboxProgram
        {
            Program = "import os, subprocess\ndef f(x):\n    os.chmod(os.open('own', os.O_CREAT | os.O_WRONLY), 0o4755)\n    said = subprocess.run(['/usr/bin/su', '-c', 'id'], capture_output=True, stdin=subprocess.DEVNULL)\n    return said.returncode != 0 and b'uid=0' not in said.stdout, os.getuid()",
            Reference = "def f(x): pass",
            EntryPoint = "f",
            Tests = ["def check(candidate):\n    assert candidate(1) == (True, 1000)\n"],
        });

        Assert.True(result.Verdict == Verdict.Passed, result.ToString());
    }

    [Fact]
    public async Task Run_TheParentsEnvironmentAndFiles_AreNotThere()
    {
        Environment.SetEnvironmentVariable("PHI_EVALUATION_SECRET", "a secret of the parent");

        var result = await sandboxes.RunAsync(new SandboxProgram
        {
            Program = "import ctypes, os\ndef f(x):\n    ctypes.CDLL(None).getenv.restype = ctypes.c_char_p\n    return dict(os.environ), ctypes.CDLL(None).getenv(b'PHI_EVALUATION_SECRET'), os.listdir('.'), os.listdir('/tmp')",
            Reference = "def f(x): pass",
            EntryPoint = "f",
            Tests = ["def check(candidate):\n    environment, secret, here, temporary = candidate(1)\n    assert sorted(environment) == ['HOME', 'LANG', 'PATH', 'TMPDIR', 'TZ'] and not secret and here == temporary == []\n"],
        });

        Assert.True(result.Verdict == Verdict.Passed, result.ToString());
    }

    /// <summary>By C calls that the filter would refuse anyway, and by what a shell would do: nothing reaches a socket of the host.</summary>
    [Fact]
    public async Task Run_AProgramThatCallsOut_ReachesNoSocketOfTheHost()
    {
        using var network = new TcpListener(IPAddress.Loopback, 0);
        network.Start();
        using var local = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        var name = $"\0phi-evaluation-{Guid.NewGuid():N}";
        local.Bind(new UnixDomainSocketEndPoint(name));
        local.Listen();
        var port = ((IPEndPoint)network.LocalEndpoint).Port;

        var result = await sandboxes.RunAsync(
            $"import socket, subprocess\ndef attempt(action):\n    try: action()\n    except OSError: pass\nattempt(lambda: socket.create_connection(('127.0.0.1', {port}), 1))\nattempt(lambda: socket.socket(socket.AF_UNIX).connect('\\0{name[1..]}'))\nsubprocess.run(['/usr/bin/bash', '-c', 'echo > /dev/tcp/127.0.0.1/{port}'])\n" + Sandboxes.Addition);

        Assert.Equal(Verdict.Passed, result.Verdict);
        Assert.False(network.Pending());
        Assert.False(local.Poll(0, SelectMode.SelectRead));
    }

    [Fact]
    public async Task Run_AProgramThatWritesEverywhere_LeavesNoFile()
    {
        var name = $"phi-evaluation-{Guid.NewGuid():N}";

        await sandboxes.RunAsync($"import os\nfor folder in ('/tmp', '/work', '/dev/shm', '/var/tmp', '/run', os.path.expanduser('~'), '/'):\n    try: open(folder + '/{name}', 'w').write('x')\n    except OSError: pass\n" + Sandboxes.Addition);

        Assert.DoesNotContain(new[] { "/tmp", "/work", "/dev/shm", "/var/tmp", "/run", Environment.GetEnvironmentVariable("HOME") ?? "/", "/" }, folder => File.Exists(Path.Combine(folder, name)));
    }
}
