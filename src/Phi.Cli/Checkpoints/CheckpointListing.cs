using Phi.Checkpoints;
using Phi.Checkpoints.Retention;
using Phi.Checkpoints.Stores;

namespace Phi.Cli.Checkpoints;

/// <summary>What a store holds, newest first; <c>phi checkpoint ls --output json</c> prints this.</summary>
internal sealed record CheckpointListing(string Location, IReadOnlyList<ListedCheckpoint> Checkpoints)
{
    public static CheckpointListing Of(CheckpointSource source, CheckpointStore store, DateTimeOffset now) =>
        new(source.Root, [.. new StoreRetention(store).Steps().Where(step => source.Step is null || step.Step == source.Step).Select(step => Of(store, step, now))]);

    private static ListedCheckpoint Of(CheckpointStore store, StoredStep step, DateTimeOffset now)
    {
        var listed = new ListedCheckpoint
        {
            Step = step.Step,
            State = step.State,
            Time = step.Modified,
            Bytes = step.Bytes,
            Pin = step.Pin,
            Uses = [.. step.Uses.Where(use => use.Expires > now)],
        };
        try
        {
            return step.State == StepState.Uncommitted ? listed : Describe();
        }
        catch (CheckpointException e)
        {
            return listed with { Problem = e.Message };
        }

        ListedCheckpoint Describe()
        {
            var manifest = store.ReadManifest(step.Step);
            return listed with { Time = manifest.Time, Ranks = manifest.WorldSize, Attempt = manifest.Attempt, RunId = manifest.RunId };
        }
    }
}

/// <summary>One step of a store.</summary>
internal sealed record ListedCheckpoint
{
    public required long Step { get; init; }
    public required StepState State { get; init; }

    /// <summary>Of the save, or of the newest file where no manifest tells.</summary>
    public required DateTimeOffset Time { get; init; }
    public required long Bytes { get; init; }

    /// <summary>Shards; null where no manifest tells.</summary>
    public int? Ranks { get; init; }
    public int? Attempt { get; init; }
    public string? RunId { get; init; }
    public CheckpointPin? Pin { get; init; }
    public required IReadOnlyList<StepUse> Uses { get; init; }

    /// <summary>What is wrong with the manifest.</summary>
    public string? Problem { get; init; }
}
