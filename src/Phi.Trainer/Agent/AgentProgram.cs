using System.Net;
using System.Runtime.InteropServices;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Trainer.Agent.Evaluating;
using Phi.Trainer.Agent.Events;
using Phi.Trainer.Agent.Notices;
using Phi.Trainer.Replicas;

namespace Phi.Trainer.Agent;

/// <summary>
/// The agent of a training pod: asks the operator for its part, runs the ranks, tells the operator how they are, and does what it
/// answers. SIGTERM becomes a request to save and leave; the pod ends when the ranks have.
/// </summary>
internal sealed class AgentProgram : IAsyncDisposable
{
    private static readonly TimeSpan HeartbeatPeriod = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan FlushPatience = TimeSpan.FromSeconds(10);

    /// <summary>For the agent itself, after its ranks have left.</summary>
    private static readonly TimeSpan LeaveMargin = TimeSpan.FromSeconds(2);
    private readonly AgentSettings _settings;
    private readonly OperatorClient _operator;
    private readonly EventSender _events;
    private readonly SemaphoreSlim _changed = new(0);
    private readonly CancellationTokenSource _leaving = new();
    private readonly Deadline _deadline = new(TimeProvider.System);
    private readonly Lock _logLock = new();
    private volatile DisruptionNotice? _notice;
    private ReplicaServer? _replicas;

    /// <summary>The first pod's alone.</summary>
    private readonly CheckpointEvaluator? _evaluator;

    private AgentProgram(AgentSettings settings)
    {
        _settings = settings;
        _operator = new OperatorClient(settings.OperatorUrl, new TokenFile(settings.TokenFile).Read, settings.AuthorityFile);
        _events = new EventSender(_operator, settings.Request, Path.Combine(settings.EventFolder, settings.Request.PodUid), new EventOptions(), TimeProvider.System, Log);
        _evaluator = settings.Request.ReplicaIndex == 0
            ? new CheckpointEvaluator(settings, Path.Combine(settings.EventFolder, $"{settings.Request.PodUid}-evaluation"), _events.Add, () => _changed.Release(), Log)
            : null;
    }

    /// <summary>The pod's exit code.</summary>
    public static async Task<int> RunAsync()
    {
        AgentSettings settings;
        try
        {
            settings = AgentSettings.Read(Environment.GetEnvironmentVariable);
        }
        catch (ArgumentException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return RankExitCodes.BadInput;
        }

        await using var agent = new AgentProgram(settings);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, agent.OnTerminate);
        await using var notices = new NoticeWatch(Environment.GetEnvironmentVariable, TimeProvider.System, agent.OnNotice);
        return await agent.GuardedAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await (_evaluator?.DisposeAsync() ?? ValueTask.CompletedTask);
        await _events.DisposeAsync();
        await (_replicas?.DisposeAsync() ?? ValueTask.CompletedTask);
        _operator.Dispose();
        _leaving.Dispose();
        _changed.Dispose();
    }

    private void OnTerminate(PosixSignalContext context)
    {
        context.Cancel = true;
        Leave("asked to leave: the ranks save and stop", _settings.GracePeriod);
    }

    private void OnNotice(DisruptionNotice notice)
    {
        _notice = notice;
        Leave($"{notice.Source} gives notice ({notice.Kind}{(notice.NotBefore is { } time ? $", not before {time:HH:mm:ss}" : "")}): the ranks save and stop", notice.NotBefore - TimeProvider.System.GetUtcNow());
    }

    /// <param name="left">Until the pod is killed; null: nobody knows.</param>
    private void Leave(string why, TimeSpan? left)
    {
        Log(why);
        if (left is { } known)
        {
            _deadline.Add(known - LeaveMargin);
        }

        _leaving.Cancel();
        _changed.Release();
    }

    private async Task<int> GuardedAsync()
    {
        try
        {
            while (await AskAsync() is { } assignment)
            {
                if (await RunAttemptAsync(assignment) is { } exit)
                {
                    await _events.FlushAsync(FlushPatience);
                    return exit;
                }
            }

            return RankExitCodes.SavedAndLeft;
        }
        catch (RefusedException e)
        {
            Log(e.Message);
            return RankExitCodes.Failed;
        }
    }

    /// <summary>Asks until there is an assignment; null once the pod was told to leave.</summary>
    private async Task<Assignment?> AskAsync()
    {
        string? said = null;
        while (!_leaving.IsCancellationRequested)
        {
            var delay = RetryDelay;
            string? why;
            try
            {
                var response = await _operator.AskAsync(_settings.Request, CancellationToken.None);
                if (response.Assignment is { } assignment)
                {
                    return assignment;
                }

                (why, delay) = ($"waiting: {response.WaitReason}", TimeSpan.FromSeconds(response.RetryAfterSeconds));
            }
            catch (HttpRequestException e)
            {
                why = $"no assignment yet: {e.Message}";
            }

            if (why != said)
            {
                Log(said = why);
            }

            await Task.Delay(delay, _leaving.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return null;
    }

    /// <summary>The exit code if this was the pod's last attempt; null if it must ask for another.</summary>
    private async Task<int?> RunAttemptAsync(Assignment assignment)
    {
        Log($"attempt {assignment.Attempt}: ranks {assignment.FirstRank} to {assignment.FirstRank + assignment.LocalWorldSize - 1} of {assignment.WorldSize}, rendezvous at {assignment.MasterAddress}:{assignment.MasterPort}");
        if (_settings.ReplicaFolder is { } memory)
        {
            _replicas ??= await ReplicaServer.StartAsync(memory, IPAddress.Parse(_settings.Request.PodIp));
            _replicas.Serve(assignment.Attempt, assignment.PeerKey);
        }

        _evaluator?.Begin(assignment);
        await using var group = RankGroup.Start(assignment, _settings, _replicas, _events, _changed, step => _evaluator?.Committed(step), Log);
        var hasAsked = false;
        long? completedAt = null;
        int? toldDeadline = null;
        while (true)
        {
            // A signal that comes after this look releases the semaphore, so the next round sees it.
            if (_leaving.IsCancellationRequested && toldDeadline != _deadline.Version)
            {
                toldDeadline = _deadline.Version;
                AskToStop(group, _deadline.Left);
                hasAsked = true;
            }

            var hasEnded = group.HasEnded;
            var ranks = group.Describe();
            var answer = await BeatAsync(assignment, ranks);
            if (hasEnded && (hasAsked || ranks.All(rank => rank.State == RankState.Completed)) && (answer is not null || hasAsked) && (hasAsked || !IsEvaluating(assignment, ref completedAt)))
            {
                await (_evaluator?.EndAsync() ?? Task.CompletedTask);
                return ranks.Max(rank => rank.ExitCode ?? 0);
            }

            if (answer is { Command: AgentCommand.Restart } && !hasAsked)
            {
                Log($"attempt {assignment.Attempt} ends: the operator wants attempt {answer.Attempt}");
                return null;
            }

            if (answer is { Command: AgentCommand.Stop } && !hasAsked)
            {
                Log("told to stop: the ranks save and leave");
                AskToStop(group, null);
                hasAsked = true;
            }

            await _changed.WaitAsync(HeartbeatPeriod);
        }
    }

    /// <summary>The processor is the ranks' that save; if they have nothing left to do, no other pod will evaluate what is left.</summary>
    private void AskToStop(RankGroup group, TimeSpan? left)
    {
        _evaluator?.GiveUp(group.HasEnded ? "the pod was asked to leave before it was evaluated" : null);
        group.AskToStop(left);
    }

    /// <summary>Whether the pod, all of whose ranks have completed, stays for the last checkpoint's evaluation.</summary>
    /// <param name="completedAt">When this was first asked.</param>
    private bool IsEvaluating(Assignment assignment, ref long? completedAt)
    {
        if (_evaluator is not { IsBusy: true } || assignment.Spec.Phi?.Evaluation?.WaitAtEnd is not { } given)
        {
            return false;
        }

        if (completedAt is null)
        {
            completedAt = TimeProvider.System.GetTimestamp();
            Log($"the training is complete; the pod stays for up to {given} until the last checkpoint is evaluated (spec.phi.evaluation.waitAtEnd)");
        }

        if (TimeProvider.System.GetElapsedTime(completedAt.Value) < KubernetesDuration.Parse(given))
        {
            return true;
        }

        _evaluator.GiveUp($"it took longer than the {given} for which the pod stays after the last step; raise spec.phi.evaluation.waitAtEnd");
        return false;
    }

    private async Task<HeartbeatResponse?> BeatAsync(Assignment assignment, IReadOnlyList<RankHeartbeat> ranks)
    {
        var self = _settings.Request;
        try
        {
            return await _operator.BeatAsync(new Heartbeat
            {
                Namespace = self.Namespace,
                Job = self.Job,
                JobUid = self.JobUid,
                Pod = self.Pod,
                PodUid = self.PodUid,
                ReplicaIndex = self.ReplicaIndex,
                Attempt = assignment.Attempt,
                Leaving = _leaving.IsCancellationRequested,
                Notice = _notice,
                Ranks = ranks,
            }, CancellationToken.None);
        }
        catch (HttpRequestException e)
        {
            Log($"heartbeat lost: {e.Message}");
            return null;
        }
        catch (RefusedException e)
        {
            Log(e.Message);
            return new HeartbeatResponse { Command = AgentCommand.Stop, Attempt = assignment.Attempt };
        }
    }

    private void Log(string line)
    {
        lock (_logLock)
        {
            Console.Out.WriteLine(line);
            Console.Out.Flush();
        }
    }
}
