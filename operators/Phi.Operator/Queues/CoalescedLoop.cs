using System.Threading.Channels;

namespace Phi.Operator.Queues;

/// <summary>Runs an action once for any number of signals that came meanwhile; never twice at the same time.</summary>
/// <param name="rest">Between the end of one run and the begin of the next.</param>
internal sealed class CoalescedLoop(TimeSpan rest, TimeProvider time)
{
    private readonly Channel<bool> _signals = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Signal() => _signals.Writer.TryWrite(true);

    public async Task RunAsync(Func<CancellationToken, Task> action, CancellationToken ct)
    {
        while (true)
        {
            await _signals.Reader.ReadAsync(ct);
            await action(ct);
            if (rest > TimeSpan.Zero)
            {
                await Task.Delay(rest, time, ct);
            }
        }
    }
}
