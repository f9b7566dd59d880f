using Phi.Api.TrainingJobs;

namespace Phi.Dashboard.Components.Pages;

/// <summary>A column of the list of jobs, by which it can be put in order.</summary>
internal sealed record JobColumn(string Name, string Title, Func<TrainingJob, IComparable?> Key, bool IsNumber = false)
{
    /// <summary>In the order in which they are shown.</summary>
    public static readonly IReadOnlyList<JobColumn> All =
    [
        new("name", "Job", job => $"{job.Metadata.Namespace}/{job.Metadata.Name}"),
        new("state", "State", job => job.Status?.Phase ?? TrainingPhase.Pending),
        new("ready", "Ready", job => job.Status?.Ready),
        new("step", "Step", job => job.Status?.Progress?.Step, IsNumber: true),
        new("loss", "Loss", job => job.Status?.Progress?.Loss, IsNumber: true),
        new("rate", "Tokens/s", job => job.Status?.Progress?.TokensPerSecond, IsNumber: true),
        new("restarts", "Restarts", job => Restarts(job), IsNumber: true),
        new("goodput", "Goodput", job => job.Status?.Goodput?.Ratio, IsNumber: true),
        new("queue", "Queue", job => job.Spec.Queue),
        new("age", "Created", job => job.Metadata.CreationTimestamp),
    ];

    public static JobColumn Find(string? name) => All.FirstOrDefault(column => column.Name == name) ?? All[^1];

    public static int Restarts(TrainingJob job) => (job.Status?.Restarts ?? 0) + (job.Status?.FreeRestarts ?? 0);

    /// <summary>Jobs that have no value come last either way.</summary>
    public IEnumerable<TrainingJob> Sort(IEnumerable<TrainingJob> jobs, bool isDescending)
    {
        var known = jobs.OrderBy(job => Key(job) is null);
        return isDescending ? known.ThenByDescending(Key, Comparer<IComparable?>.Create(Compare)) : known.ThenBy(Key, Comparer<IComparable?>.Create(Compare));
    }

    private static int Compare(IComparable? left, IComparable? right) => left is string text && right is string other ? string.CompareOrdinal(text, other) : Comparer<object?>.Default.Compare(left, right);
}
