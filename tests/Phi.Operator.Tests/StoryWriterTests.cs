using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Phi.Api.TrainingJobs;
using Phi.Operator.Story;
using Phi.Telemetry.Store;

namespace Phi.Operator.Tests;

/// <summary>What is decided about jobs, on its way to a real store.</summary>
public sealed class StoryWriterTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly string _folder = Directory.CreateTempSubdirectory("phi story ").FullName;
    private TelemetryStore? _store;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _store = await TelemetryStore.OpenAsync(Path.Combine(_folder, "telemetry.db"), _time, Ct);

    public async ValueTask DisposeAsync()
    {
        await _store!.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Tell_WhatIsNew_IsStoredOnceWithPhaseAndInterruptions()
    {
        var writer = new StoryWriter(_store!, _time, NullLogger.Instance);
        var job = new TrainingJob { Metadata = new() { Uid = "uid", Namespace = "default", Name = "job" } };
        var status = new TrainingJobStatus { Attempt = 2, Phase = TrainingPhase.Restarting, Interruptions = [new InterruptionStatus { Attempt = 1, Time = _time.GetUtcNow(), Reason = "NodeSilent", Message = "node-1 is silent", Charged = false, Step = 7, ResumeStep = 5, LostSteps = 2 }] };
        writer.Tell(job, status, "NodeSilent", "attempt 1 ended", isWarning: true);
        writer.Tell(job, status, "NodeSilent", "attempt 1 ended", isWarning: true);
        _time.Advance(TimeSpan.FromSeconds(1));
        writer.Tell(job, status, "CreatingPods", "creating 1 pod of 2", isWarning: false);

        await writer.FlushAsync(Ct);

        var story = await _store!.StoryAsync("uid", Ct);
        Assert.Equal([("NodeSilent", true, 2, TrainingPhase.Restarting), ("CreatingPods", false, 2, TrainingPhase.Restarting)], story.Transitions.Select(one => (one.Reason, one.IsWarning, one.Attempt, one.Phase)));
        Assert.Equal((1, 2L), (story.Interruptions[0].Attempt, story.Interruptions[0].LostSteps));
    }
}
