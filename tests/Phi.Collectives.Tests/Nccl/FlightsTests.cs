using Microsoft.Extensions.Time.Testing;
using Phi.Collectives.Cuda;
using Phi.Collectives.Nccl;
using Phi.Collectives.Tests.Cuda;
using Phi.StandIns;

namespace Phi.Collectives.Tests.Nccl;

/// <summary>When a collective is late.</summary>
[Collection(GpuStandIn.Name)]
public sealed class FlightsTests : IDisposable
{
    private readonly CollectiveTrace _trace = new(TimeProvider.System);
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LeavePatience = TimeSpan.FromSeconds(1);
    private readonly FakeTimeProvider _time = new();
    private readonly CudaContext _context = GpuStandIn.Open();
    private readonly CudaStream _stream = new();
    private readonly Flights _flights;

    public FlightsTests()
    {
        _flights = new Flights(0, new CollectiveOptions { Deadline = Deadline, Time = _time });
        _stream.MakeCurrent();
    }

    public void Dispose()
    {
        _flights.Dispose();
        _stream.Dispose();
        // Disposed it is the default stream again, for the next test of this thread.
        _stream.MakeCurrent();
        _context.Dispose();
    }

    [Fact]
    public void FindTrouble_StreamHasNotComeToTheCollective_IsNoneHoweverLong()
    {
        using (StandInDriver.Hold(CudaStream.Current))
        {
            _flights.End(_flights.Begin(CollectiveOperation.AllGather, [0, 1]));
            Pass(Deadline * 10);

            Assert.Null(Trouble());
            Assert.False(_flights.Observe(_trace).IsInside);
        }
    }

    [Fact]
    public void FindTrouble_CollectiveRunsLongerThanTheDeadline_IsToldOnce()
    {
        using (Running())
        {
            Pass(Deadline);
            Assert.Null(Trouble());
            Pass(TimeSpan.FromSeconds(1));

            Assert.Equal((CollectiveOperation.AllGather, "no end within 60 s"), Trouble() is { } report ? (report.Operation, report.Text) : default);
            Assert.Null(Trouble());
        }
    }

    [Fact]
    public void FindTrouble_MemberHasLeft_IsToldSoonAndSuspectsIt()
    {
        using (Running())
        {
            Pass(LeavePatience + TimeSpan.FromMilliseconds(1));

            Assert.Null(_flights.FindTrouble(rank => rank == 2, LeavePatience));
            Assert.Equal(1, _flights.FindTrouble(rank => rank == 1, LeavePatience)?.Suspect);
        }
    }

    [Fact]
    public void Observe_CollectiveEnds_IsIdleAndProgressGrew()
    {
        var before = _flights.Observe(_trace);
        Running().Dispose();
        CudaStream.SynchronizeCurrent();

        var after = _flights.Observe(_trace);

        Assert.False(after.IsInside);
        Assert.True(after.Progress > before.Progress);
        Assert.True(_flights.IsIdle);
    }

    /// <summary>A collective that has begun on the device, and ends when what is returned is disposed.</summary>
    private IDisposable Running()
    {
        var flight = _flights.Begin(CollectiveOperation.AllGather, [0, 1]);
        CudaStream.SynchronizeCurrent();
        var gate = StandInDriver.Hold(CudaStream.Current);
        _flights.End(flight);
        Assert.True(_flights.Observe(_trace).IsInside);
        return gate;
    }

    private void Pass(TimeSpan time)
    {
        _flights.Observe(_trace);
        _time.Advance(time);
    }

    private Phi.Collectives.Nccl.Control.Report? Trouble() => _flights.FindTrouble(_ => false, LeavePatience);
}
