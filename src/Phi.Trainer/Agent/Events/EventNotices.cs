namespace Phi.Trainer.Agent.Events;

/// <summary>What the pod's log says of events that wait: each thing once, until all of them are sent.</summary>
internal sealed class EventNotices(Action<string> log)
{
    private readonly Lock _lock = new();
    private readonly HashSet<string> _said = new(StringComparer.Ordinal);
    private long _givenUp;

    public void SayOnce(string what, string text)
    {
        lock (_lock)
        {
            if (!_said.Add(what))
            {
                return;
            }
        }

        log(text);
    }

    /// <param name="where">Which place has no room.</param>
    public void GiveUp(int steps, string where, string why)
    {
        lock (_lock)
        {
            _givenUp += steps;
        }

        SayOnce($"full {where}", $"{why}: steps are given up, first those of ranks other than 0, then those of rank 0, and texts of evaluated problems before them; checkpoints and the like are not");
    }

    public void CaughtUp()
    {
        long givenUp;
        lock (_lock)
        {
            if (_said.Count == 0)
            {
                return;
            }

            _said.Clear();
            (givenUp, _givenUp) = (_givenUp, 0);
        }

        log(givenUp == 0 ? "the events that waited are all sent" : $"the events that waited are all sent; {givenUp} events were given up meanwhile");
    }
}
