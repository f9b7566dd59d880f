using Microsoft.Extensions.Time.Testing;

namespace Phi.Collectives.Tests;

public sealed class CollectiveTraceTests
{
    [Fact]
    public void Waiting_InsideACollective_CountsFromItsBegin()
    {
        var time = new FakeTimeProvider();
        var trace = new CollectiveTrace(time);
        Assert.Null(trace.Last);
        Assert.Null(trace.Waiting);

        trace.Enter(CollectiveOperation.AllGather);
        trace.Leave();
        trace.Enter(CollectiveOperation.AllReduce);
        time.Advance(TimeSpan.FromSeconds(3));

        Assert.Equal((CollectiveOperation.AllReduce, 2), trace.Last);
        Assert.Equal(TimeSpan.FromSeconds(3), trace.Waiting);
        trace.Leave();
        Assert.Null(trace.Waiting);
        Assert.Equal((CollectiveOperation.AllReduce, 2), trace.Last);
    }

    [Fact]
    public async Task Trace_PeerDoesNotCome_ShowsWhatTheRankWaitsFor()
    {
        var groups = InProcessGroup.Create(2);
        var waiting = Task.Factory.StartNew(() => groups[0].Barrier(), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        while (groups[0].Statistics.Trace.Waiting is null)
        {
            await Task.Yield();
        }

        Assert.Equal((CollectiveOperation.Barrier, 1), groups[0].Statistics.Trace.Last);
        Assert.Null(groups[1].Statistics.Trace.Last);
        groups[1].Barrier();
        await waiting;
        Assert.Null(groups[0].Statistics.Trace.Waiting);
    }
}
