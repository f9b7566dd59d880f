using Phi.Evaluation.Sandbox;

namespace Phi.Evaluation.Tests;

/// <summary>What the checker says of programs that mean no harm.</summary>
[Collection(SandboxCollection.Name)]
public sealed class SandboxTests(Sandboxes sandboxes)
{
    [Theory]
    [InlineData(Sandboxes.Addition, Verdict.Passed, "")]
    [InlineData("def f(x):\n    return x + 2\n", Verdict.Failed, "assert candidate(1) == 2")]
    [InlineData("def f(x):\n    return None\n", Verdict.Failed, "assert candidate(1) == 2")]
    [InlineData("def f(x):\n    return 2 if x == 1 else 0\n", Verdict.Failed, "assert candidate(10) == 11")]
    [InlineData("def f(x):\n    pass\n", Verdict.Failed, "assert candidate(1) == 2")]
    [InlineData("", Verdict.Failed, "the program does not define f")]
    [InlineData("f = 2", Verdict.Failed, "f is no function")]
    [InlineData("def f(x:", Verdict.SyntaxError, "SyntaxError")]
    [InlineData("x = '\0'", Verdict.SyntaxError, "null bytes")]
    [InlineData("x = '\ud800'", Verdict.Failed, "does not define f")]
    [InlineData("def f(x):\n    return x / 0\n", Verdict.Raised, "ZeroDivisionError: division by zero (line 2, in f)")]
    [InlineData("import nowhere", Verdict.Raised, "ModuleNotFoundError: No module named 'nowhere' (line 1, in <module>)")]
    [InlineData("class Own(Exception): pass\ndef f(x):\n    raise Own('mine')\n", Verdict.Raised, "Own: mine")]
    [InlineData("def f(x):\n    assert False, 'its own'\n", Verdict.Raised, "AssertionError: its own")]
    [InlineData("def f(x):\n    return f(x)\n", Verdict.Raised, "RecursionError")]
    [InlineData("def f(x):\n    return input()\n", Verdict.Raised, "EOFError")]
    public async Task Run_AProgram_IsJudgedByItsAnswers(string program, Verdict verdict, string says)
    {
        var result = await sandboxes.RunAsync(program);

        Assert.Equal(verdict, result.Verdict);
        Assert.Contains(says, result.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_WhatAProgramPrints_IsKept()
    {
        var result = await sandboxes.RunAsync("import sys\nprint('loaded')\ndef f(x):\n    print('é', x)\n    print('wrong', file=sys.stderr)\n    return x + 1\n");

        Assert.Equal((Verdict.Passed, "loaded\né 1\né 10\n", "wrong\nwrong\n"), (result.Verdict, result.Output, result.Error));
    }

    /// <summary>As in one interpreter: what a call changes is changed, and what it returns may be its argument.</summary>
    [Theory]
    [InlineData("def f(x):\n    x.append(1)\n    return x", "x = [0]\nassert f(x) is x and x == [0, 1]")]
    [InlineData("def f(x):\n    x['b'] = x['a']\n    x['a'].add(2)\n    return x['a']", "x = {'a': {1}}\nassert f(x) is x['a'] and x['b'] is x['a'] and x['a'] == {1, 2}")]
    [InlineData("def f(x):\n    x[0].clear()\n    x.append(x)", "a = [1]\nx = [a, a]\nf(x)\nassert a == [] and x[0] is x[1] is a and x[2] is x")]
    [InlineData("def f(x):\n    return x", "for x in [None, True, -2**100, 1.5, float('inf'), 2j, 'a\\ud800', b'b', bytearray(b'c'), (1, (2,)), {1: 'a'}, {1}, frozenset({1}), range(3), int, ...]:\n    y = f(x)\n    assert type(y) is type(x) and y == x, x")]
    [InlineData("from collections import *\nfrom decimal import Decimal\nfrom fractions import Fraction\nimport datetime\ndef f(x):\n    return [Counter('aab'), OrderedDict(a=1), deque([1]), Decimal('1.5'), Fraction(1, 3), datetime.date(2020, 1, 2), namedtuple('P', 'a b')(1, 2), {'a': 1}.keys()]", "from collections import deque\nfrom decimal import Decimal\nfrom fractions import Fraction\nimport datetime\nassert f(0) == [{'a': 2, 'b': 1}, {'a': 1}, deque([1]), Decimal('1.5'), Fraction(1, 3), datetime.date(2020, 1, 2), (1, 2), {'a'}]")]
    [InlineData("def f(x):\n    return (i * i for i in range(x))", "assert list(f(3)) == [0, 1, 4]\nassert 4 in f(3) and 5 not in f(3)")]
    [InlineData("def f(x):\n    return lambda y: x + y", "assert f(1)(2) == 3")]
    [InlineData("class P:\n    def __init__(self, a): self.a = a\n    def __eq__(self, other): return self.a == other.a\ndef f(x):\n    return P(x)", "p = f([1])\nassert p.a == [1] and p == f([1]) and p != f([2]) and p != 1\np.a = 3\nassert p.a == 3")]
    [InlineData("def f(x):\n    raise KeyError('k')", "try:\n    f(1)\n    raise SystemError()\nexcept KeyError:\n    pass")]
    [InlineData("def f(x):\n    return sorted(x, key=str)", "assert f((3, 1)) == [1, 3]")]
    public async Task Run_ValuesThatPassBetweenTheProcesses_AreTheSame(string program, string test)
    {
        var result = await sandboxes.RunAsync(new SandboxProgram { Program = program, Reference = "def f(x): pass", Tests = [test] });

        Assert.True(result.Verdict == Verdict.Passed, result.ToString());
    }

    [Fact]
    public async Task Run_TheSameProgramTwice_HasTheSameOrderOfSets()
    {
        const string Program = "print(list({'a', 'b', 'c', 'd', 'e', 'f', 'g'}))\n" + Sandboxes.Addition;

        Assert.Equal((await sandboxes.RunAsync(Program)).Output, (await sandboxes.RunAsync(Program)).Output);
    }

    [Fact]
    public async Task Run_ASuiteThatDoesNotRun_IsNoVerdict()
    {
        var broken = new SandboxProgram { Program = Sandboxes.Addition, Reference = "def f(x): return x + 1", EntryPoint = "f", Tests = ["def check(candidate:"] };

        Assert.Contains("suite's own code", (await Assert.ThrowsAsync<EvaluationException>(() => sandboxes.RunAsync(broken))).Message, StringComparison.Ordinal);
        Assert.Contains("no function check", (await Assert.ThrowsAsync<EvaluationException>(() => sandboxes.RunAsync(broken with { Tests = ["x = 1"] }))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_APythonThatIsNone_SaysSo() =>
        Assert.Contains("--python", (await Assert.ThrowsAsync<SandboxException>(() => PythonSandbox.CreateAsync("/bin/true", Sandboxes.Limits, TestContext.Current.CancellationToken))).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Create_WhereTheProbeFails_IsRefused()
    {
        var refusal = await Assert.ThrowsAsync<SandboxException>(() => PythonSandbox.CreateAsync(null, Sandboxes.Limits with { OpenFiles = 3 }, TestContext.Current.CancellationToken));

        Assert.Contains("so no program is run", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_ThatIsCancelled_LeavesNoProcess()
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var running = sandboxes.Sandbox.RunAsync(Sleeping, cancel.Token);
        await UntilAsync(() => Sandboxes.Processes().Count == 3);
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.Empty(Sandboxes.Processes());
    }

    /// <summary>As when phi itself is killed, and all with it.</summary>
    [Fact]
    public async Task Run_WhoseFirstProcessIsKilled_LeavesNoProcess()
    {
        var running = sandboxes.Sandbox.RunAsync(Sleeping, TestContext.Current.CancellationToken);
        await UntilAsync(() => Sandboxes.Processes().Count == 3);
        System.Diagnostics.Process.GetProcessById(Sandboxes.Processes().Min()).Kill();

        await Assert.ThrowsAsync<SandboxException>(() => running);
        await UntilAsync(() => Sandboxes.Processes().Count == 0);
    }

    private static SandboxProgram Sleeping => new() { Program = "import time\ntime.sleep(1000)", Reference = Sandboxes.Addition, EntryPoint = "f", Tests = [""] };

    private static async Task UntilAsync(Func<bool> isSo)
    {
        while (!isSo())
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
