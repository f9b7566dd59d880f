using System.Diagnostics;
using System.Text.Json;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Trainer.Ranks;
using Phi.Trainer.Ranks.Saving;

namespace Phi.Trainer.Agent;

/// <summary>One rank as a child process. It ends when its standard input does, so it never outlives the agent.</summary>
internal sealed class RankProcess : IDisposable
{
    private readonly Process _process;
    private readonly Lock _lock = new();
    private RankState _state = RankState.Starting;
    private long _step;
    private long? _from;
    private string? _message;
    private string? _collective;
    private double? _waiting;
    private long? _divergedBatch;
    private long _heard = Stopwatch.GetTimestamp();
    private readonly BusyTime _busy = new();

    private RankProcess(int rank, Process process, Action<RankEvent> onEvent, Action<string> log)
    {
        (Rank, _process) = (rank, process);
        Exited = FollowAsync(onEvent, log);
    }

    public int Rank { get; }

    /// <summary>Completes after the last event of the rank was handed on.</summary>
    public Task Exited { get; }

    public static RankProcess Start(RankStart start, int localRank, Action<RankEvent> onEvent, Action<string> log)
    {
        var info = new ProcessStartInfo(Environment.ProcessPath!, ["rank"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        var assignment = start.Assignment;
        foreach (var (name, value) in new (string, object)[]
        {
            (PhiEnvironment.MasterAddress, assignment.MasterAddress), (PhiEnvironment.MasterPort, assignment.MasterPort), (PhiEnvironment.WorldSize, assignment.WorldSize),
            (PhiEnvironment.Rank, start.Rank), (PhiEnvironment.LocalRank, localRank), (PhiEnvironment.LocalWorldSize, assignment.LocalWorldSize),
            (PhiEnvironment.NodeRank, start.NodeRank), (PhiEnvironment.NodeCount, assignment.Replicas),
            ("OMP_NUM_THREADS", 1), ("OMP_WAIT_POLICY", "PASSIVE"),
        })
        {
            info.Environment[name] = Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture);
        }

        var process = Process.Start(info)!;
        process.StandardInput.WriteLine(JsonSerializer.Serialize(start, PhiJson.Options));
        process.StandardInput.Flush();
        return new RankProcess(start.Rank, process, onEvent, log);
    }

    public RankHeartbeat Describe()
    {
        lock (_lock)
        {
            var hasEnded = Exited.IsCompleted;
            return new RankHeartbeat
            {
                Rank = Rank,
                State = _state,
                Step = _step,
                FromStep = _from,
                ExitCode = hasEnded ? _process.ExitCode : null,
                Message = _message,
                LastCollective = _collective,
                CollectiveSeconds = hasEnded ? null : _waiting,
                SilentSeconds = hasEnded ? null : Stopwatch.GetElapsedTime(_heard).TotalSeconds,
                BusySecondsPerStep = _busy.Mean,
                DivergedBatch = _divergedBatch,
            };
        }
    }

    /// <summary>Asks the rank to save at the next step boundary and to leave.</summary>
    /// <param name="left">Until it is killed; null: nobody knows. May be asked again, when there is less.</param>
    public void AskToStop(TimeSpan? left)
    {
        try
        {
            _process.StandardInput.WriteLine(LeaveRequest.Line(left));
            _process.StandardInput.Flush();
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            // It has left already.
        }
    }

    public void Kill()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It has left already.
        }
    }

    public void Dispose()
    {
        Kill();
        _process.Dispose();
    }

    private async Task FollowAsync(Action<RankEvent> onEvent, Action<string> log)
    {
        await Task.WhenAll(ReadEventsAsync(onEvent, log), ReadErrorsAsync(log));
        await _process.WaitForExitAsync();
        lock (_lock)
        {
            _state = _process.ExitCode switch
            {
                RankExitCodes.Completed => RankState.Completed,
                RankExitCodes.SavedAndLeft => RankState.SavedAndLeft,
                _ => RankState.Failed,
            };
        }
    }

    private async Task ReadEventsAsync(Action<RankEvent> onEvent, Action<string> log)
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (RankEvent.Parse(line) is not { } value)
            {
                log($"[rank {Rank}] {line}");
                continue;
            }

            lock (_lock)
            {
                _heard = Stopwatch.GetTimestamp();
                switch (value)
                {
                    case RankEvent.Alive alive:
                        (_collective, _waiting) = (alive.Collective, alive.WaitingSeconds);
                        break;
                    case RankEvent.Diverged diverged:
                        (_divergedBatch, _message) = (diverged.Batch, diverged.Message);
                        break;
                    case RankEvent.Training training:
                        (_state, _step, _from) = (RankState.Training, training.FromStep, training.FromStep);
                        break;
                    case RankEvent.Stepped stepped:
                        _step = stepped.Step.Step;
                        _busy.Add(stepped.Step);
                        break;
                    case RankEvent.Failed failed:
                        _message = failed.Message;
                        break;
                }
            }

            onEvent(value);
        }
    }

    private async Task ReadErrorsAsync(Action<string> log)
    {
        while (await _process.StandardError.ReadLineAsync() is { } line)
        {
            log($"[rank {Rank}] {line}");
        }
    }
}
