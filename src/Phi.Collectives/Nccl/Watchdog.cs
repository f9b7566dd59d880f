using Phi.Collectives.Nccl.Control;

namespace Phi.Collectives.Nccl;

/// <summary>A thread that looks, once a poll, at what is on its way on the device and at what the other ranks say, and ends the group when a rank is missing.</summary>
internal sealed class Watchdog : IDisposable
{
    private static readonly TimeSpan LeavePatience = TimeSpan.FromSeconds(1);
    private readonly NcclFamily _family;
    private readonly IControl _control;
    private readonly AutoResetEvent _poll = new(false);
    private readonly ITimer _timer;
    private readonly Thread _thread;
    private volatile bool _isStopping;

    public Watchdog(NcclFamily family, IControl control)
    {
        _family = family;
        _control = control;
        _thread = new Thread(Run) { IsBackground = true, Name = "nccl watchdog" };
        _timer = family.Options.Collectives.Time.CreateTimer(_ => _poll.Set(), null, family.Options.Poll, family.Options.Poll);
        _thread.Start();
    }

    /// <summary>Stops, and leaves the other ranks: in order unless the group is over, else as a death would.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        _isStopping = true;
        _poll.Set();
        _thread.Join();
        _poll.Dispose();
    }

    private void Run()
    {
        _family.Context.MakeCurrent();
        while (!_isStopping)
        {
            _poll.WaitOne();
            Look();
        }

        _control.Leave(inOrder: _family.Failure is null);
    }

    private void Look()
    {
        _control.Publish(_family.Flights.Observe(_family.Statistics.Trace));
        if (_control.Look() is { } failure)
        {
            _family.Break(failure);
        }
        else if (_family.Failure is null && (_family.FindAsyncError() ?? _family.Flights.FindTrouble(_control.HasLeft, LeavePatience)) is { } report)
        {
            _control.Tell(report);
        }
    }
}
