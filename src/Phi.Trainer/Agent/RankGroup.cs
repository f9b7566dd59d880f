using System.Globalization;
using Phi.Api.Agent;
using Phi.Trainer.Agent.Events;
using Phi.Trainer.Ranks;
using Phi.Trainer.Replicas;

namespace Phi.Trainer.Agent;

/// <summary>The ranks of this pod at one attempt.</summary>
internal sealed class RankGroup : IAsyncDisposable
{
    private readonly List<RankProcess> _ranks;
    private readonly SemaphoreSlim _changed;

    private RankGroup(Assignment assignment, List<RankProcess> ranks, SemaphoreSlim changed) => (Assignment, _ranks, _changed) = (assignment, ranks, changed);

    public Assignment Assignment { get; }

    public bool HasEnded => _ranks.TrueForAll(rank => rank.Exited.IsCompleted);

    /// <param name="replicas">Null: the job keeps no copies in memory.</param>
    /// <param name="changed">Released whenever a heartbeat has something new to say.</param>
    /// <param name="saved">Hears of each checkpoint that was committed.</param>
    public static RankGroup Start(Assignment assignment, AgentSettings settings, ReplicaServer? replicas, EventSender events, SemaphoreSlim changed, Action<long> saved, Action<string> log)
    {
        var ranks = new List<RankProcess>();
        for (var local = 0; local < assignment.LocalWorldSize; local++)
        {
            var start = new RankStart
            {
                Assignment = assignment,
                RunId = settings.Request.JobUid,
                Rank = assignment.FirstRank + local,
                NodeRank = settings.Request.ReplicaIndex,
                BindAddress = settings.Request.PodIp,
                CheckpointRoot = settings.CheckpointRoot,
                DataCache = settings.DataCache,
                Replicas = replicas is null ? null : new ReplicaStart(settings.ReplicaFolder!, replicas.Address),
            };
            var rank = RankProcess.Start(start, local, OnEvent, log);
            ranks.Add(rank);
            _ = rank.Exited.ContinueWith(_ => changed.Release(), TaskScheduler.Default);
        }

        return new RankGroup(assignment, ranks, changed);

        void OnEvent(RankEvent value)
        {
            if (value is RankEvent.Recalled recalled)
            {
                events.Add(recalled.Attempt, new RankEvent.Stepped(recalled.Step));
            }
            else if (value is RankEvent.Stepped or RankEvent.Reached or RankEvent.Saved or RankEvent.Missed or RankEvent.Skipped)
            {
                events.Add(assignment.Attempt, value);
            }

            if (Text(value, assignment) is { } text)
            {
                log(text);
            }

            if (value is RankEvent.Saved { Checkpoint.Step: var step })
            {
                saved(step);
            }

            if (value is not (RankEvent.Stepped or RankEvent.Reached or RankEvent.Recalled or RankEvent.Alive))
            {
                changed.Release();
            }
        }
    }

    public IReadOnlyList<RankHeartbeat> Describe() => [.. _ranks.Select(rank => rank.Describe())];

    /// <param name="left">Until the ranks are killed; null: nobody knows.</param>
    public void AskToStop(TimeSpan? left) => _ranks.ForEach(rank => rank.AskToStop(left));

    /// <summary>Kills what still runs and waits for its end.</summary>
    public async ValueTask DisposeAsync()
    {
        _ranks.ForEach(rank => rank.Kill());
        await Task.WhenAll(_ranks.Select(rank => rank.Exited));
        _ranks.ForEach(rank => rank.Dispose());
        _changed.Release();
    }

    /// <summary>A line for the pod's log; null for what says nothing to a reader.</summary>
    private static string? Text(RankEvent value, Assignment assignment) => value switch
    {
        RankEvent.Stepped { Step: { Rank: 0 } step } when step.Metrics.TryGetValue("loss", out var loss) =>
            string.Create(CultureInfo.InvariantCulture, $"step {step.Step}/{assignment.Spec.Phi?.Steps} loss {loss:0.0000} lr {step.Metrics["learning_rate"]:0.######} grad_norm {step.Metrics["grad_norm"]:0.000} {step.Metrics["tokens_per_second"]:0} tokens/s"),
        RankEvent.Saved { Checkpoint: var saved } => string.Create(CultureInfo.InvariantCulture, $"checkpoint of step {saved.Step} committed: {saved.Uri} ({saved.Bytes / 1e6:0.0} MB in {saved.Seconds:0.00} s, for {saved.StallSeconds:0.000} s of which training stood still)"),
        RankEvent.Missed { Checkpoint: var missed } => $"step {missed.Step} is not saved: {missed.Message}",
        RankEvent.Diverged { Message: var message } => message,
        RankEvent.Training training => $"attempt {assignment.Attempt}: training from step {training.FromStep}{(training.IsFromMemory ? ", copied from the gang's memory" : "")}",
        _ => null,
    };
}
