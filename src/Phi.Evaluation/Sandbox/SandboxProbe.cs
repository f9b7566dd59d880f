namespace Phi.Evaluation.Sandbox;

/// <summary>
/// Tries what a sandbox must hold, from inside: <c>probe.py</c> says what it could do, and the assertions of <c>probe_test.py</c> are that it could not.
/// </summary>
internal static class SandboxProbe
{
    public static async Task RunAsync(PythonSandbox sandbox, SandboxLimits limits, string scripts, CancellationToken cancellationToken)
    {
        var program = await File.ReadAllTextAsync(Path.Combine(scripts, "probe.py"), cancellationToken);
        var test = await File.ReadAllTextAsync(Path.Combine(scripts, "probe_test.py"), cancellationToken);
        var result = await sandbox.RunAsync(
            new SandboxProgram
            {
                Program = program,
                Reference = $"def facts(): pass\nPROCESSES = {limits.Processes}\nMEMORY = {limits.MemoryBytes}\n",
                EntryPoint = "facts",
                Tests = [test],
            },
            cancellationToken);
        if (result.Verdict != Verdict.Passed)
        {
            throw new SandboxException(
                $"the sandbox does not hold on this machine, so no program is run in it: {result.Message} {result.Error}".TrimEnd() +
                " It needs Linux 5.14 or newer, with user namespaces and seccomp, and Python 3.9 or newer.");
        }
    }
}
