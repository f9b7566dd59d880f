namespace Phi.Chaos;

/// <summary>A process of a pod: its agent, or one of its ranks.</summary>
public sealed record PodProcess(int Id, string Pod, bool IsRank)
{
    private const string PodName = "PHI_POD_NAME=";

    /// <summary>Live processes of a job's pods, by pod.</summary>
    public static IReadOnlyList<PodProcess> Of(string jobUid) =>
    [
        .. from process in ProcessTable.All()
           where process.Environment.Contains($"PHI_JOB_UID={jobUid}") && process.Arguments is [.., _, "rank" or "agent"]
           let pod = process.Environment.FirstOrDefault(variable => variable.StartsWith(PodName, StringComparison.Ordinal))
           where pod is not null
           orderby pod, process.Id
           select new PodProcess(process.Id, pod[PodName.Length..], process.Arguments[^1] == "rank"),
    ];
}
