using Phi.Api.Agent;

namespace Phi.Trainer.Agent;

/// <summary>Mean of a rank's own time per step over its last steps. The first step of an attempt warms up and does not count.</summary>
internal sealed class BusyTime
{
    private const int Window = 20;
    private readonly Queue<double> _recent = new();
    private bool _isWarm;

    /// <summary>Seconds; null before the second step.</summary>
    public double? Mean => _recent.Count == 0 ? null : _recent.Average();

    public void Add(StepEvent step)
    {
        if (!step.Metrics.TryGetValue("busy_seconds", out var seconds))
        {
            return;
        }

        if (!_isWarm)
        {
            _isWarm = true;
            return;
        }

        _recent.Enqueue(seconds);
        if (_recent.Count > Window)
        {
            _recent.Dequeue();
        }
    }
}
