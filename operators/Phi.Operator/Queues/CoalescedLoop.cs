using System.Threading.Channels;

namespace Phi.Operator.Queues;

/// <summary>Runs an action once for any number of signals that came meanwhile; never twice at the same time.</summary>
/// <param name="rest">Least time between the end of one run and the begin of the next.</param>
/// <param name="mostShare">Of all time that runs may take, above 0 and at most 1: what is slow, because the API server has much to do, is done less often.</param>
internal sealed class CoalescedLoop(TimeSpan rest, double mostShare, TimeProvider time)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(15);
    private readonly Channel<bool> _signals = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Signal() => _signals.Writer.TryWrite(true);

    public async Task RunAsync(Func<CancellationToken, Task> action, CancellationToken ct)
    {
        while (true)
        {
            await _signals.Reader.ReadAsync(ct);
            var started = time.GetTimestamp();
            await action(ct);
            var pause = Max(rest, Min(LongestPause, time.GetElapsedTime(started) * (1 / mostShare - 1)));
            if (pause > TimeSpan.Zero)
            {
                await Task.Delay(pause, time, ct);
            }
        }
    }

    private static TimeSpan Max(TimeSpan left, TimeSpan right) => left > right ? left : right;

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;
}
