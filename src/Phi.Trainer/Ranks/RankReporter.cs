using System.Text.Json;
using Phi.Api.Metadata;
using Phi.Collectives;

namespace Phi.Trainer.Ranks;

/// <summary>Writes the rank's events, and every second, on a thread of its own, which collective the rank is in: also while it hangs in one.</summary>
internal sealed class RankReporter(TextWriter writer, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);
    private readonly Lock _lock = new();
    private ITimer? _timer;

    public void Emit(RankEvent value)
    {
        var line = JsonSerializer.Serialize(value, PhiJson.Options);
        lock (_lock)
        {
            writer.WriteLine(line);
            writer.Flush();
        }
    }

    /// <param name="traces">Of the communicators of this rank, the one that matters first.</param>
    public void Follow(params CollectiveTrace[] traces)
    {
        _timer?.Dispose();
        _timer = time.CreateTimer(_ => Emit(Describe(traces)), null, Period, Period);
    }

    public void Dispose() => _timer?.Dispose();

    private static RankEvent.Alive Describe(CollectiveTrace[] traces)
    {
        var trace = Array.Find(traces, trace => trace.Waiting is not null) ?? traces[0];
        return new RankEvent.Alive(trace.Last is { } last ? $"{last.Operation} {last.Number}" : null, trace.Waiting?.TotalSeconds);
    }
}
