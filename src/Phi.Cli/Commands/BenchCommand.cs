using System.CommandLine;

namespace Phi.Cli.Commands;

/// <summary><c>phi bench</c>: the benches are a part of a checkout, which the launcher at its root runs.</summary>
internal static class BenchCommand
{
    public static Command Create()
    {
        var command = new Command("bench", "Measure this version: in a checkout, as ./phi bench.") { TreatUnmatchedTokensAsErrors = false };
        command.SetAction(int (_) => throw new CliException("the benches are not a part of this executable: in a checkout run ./phi bench, which builds them and lists what there is (tests/Phi.Benchmarks/README.md)", ExitCodes.Usage));
        return command;
    }
}
