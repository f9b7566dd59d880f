using System.Diagnostics;
using Phi.Chaos;

namespace Phi.EndToEnd.Tests;

/// <summary>Live processes of a control plane, found by their environment and arguments in /proc.</summary>
internal static class TrainingProcesses
{
    public sealed record TrainingProcess(int Id, bool IsRank);

    /// <summary>Agents and ranks of the pods that run under this home.</summary>
    /// <param name="variables">Of their environment, such as that of one pod's name.</param>
    public static IReadOnlyList<TrainingProcess> Of(string home, params string[] variables) =>
        [.. ProcessTable.All().Where(p => variables.Append($"PHI_CHECKPOINT_ROOT={Path.Combine(home, "checkpoints")}").All(p.Environment.Contains))
            .Select(p => new TrainingProcess(p.Id, p.Arguments.Contains("rank")))];

    /// <summary>SIGKILL for the newest one.</summary>
    public static void KillARank(string home)
    {
        using var rank = Process.GetProcessById(Of(home).Where(p => p.IsRank).MaxBy(p => p.Id)!.Id);
        rank.Kill();
    }

    public static IReadOnlyList<int> WithArguments(params string[] wanted) =>
        [.. ProcessTable.All().Where(p => wanted.All(argument => p.Arguments.Contains(argument))).Select(p => p.Id)];
}
