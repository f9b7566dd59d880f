using System.CommandLine;
using System.Runtime.CompilerServices;

namespace Phi.Cli.Commands;

/// <summary>Lines that a person could type, at the end of a command's help.</summary>
internal static class Examples
{
    private static readonly ConditionalWeakTable<Command, string[]> All = [];

    public static void WithExamples(this Command command, params string[] lines) => All.AddOrUpdate(command, lines);

    public static IReadOnlyList<string> Of(Command command) => All.TryGetValue(command, out var lines) ? lines : [];
}
