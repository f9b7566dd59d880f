using Phi.Telemetry.Goodput;

namespace Phi.Operator.Progress;

/// <summary>The newest steps of the newest attempt, from which follows how fast a run is.</summary>
internal sealed class RateWindow
{
    /// <summary>Steps that it holds.</summary>
    public const int Size = 20;

    private readonly Queue<StoredStep> _steps = new();

    public double? TokensPerSecond
    {
        get
        {
            var known = _steps.Where(step => step.Tokens is not null).ToList();
            return known is [var first, .., var last] && last.Time > first.Time && last.Tokens > 0
                ? Math.Round((last.Tokens.Value - first.Tokens!.Value) / (last.Time - first.Time).TotalSeconds, 1)
                : null;
        }
    }

    /// <summary>Null: not known yet.</summary>
    public double? SecondsPerStep => _steps.Count < 2 ? null : (_steps.Last().Time - _steps.Peek().Time).TotalSeconds / (_steps.Last().Step - _steps.Peek().Step);

    public void Add(in StoredStep step)
    {
        _steps.Enqueue(step);
        if (_steps.Count > Size)
        {
            _steps.Dequeue();
        }
    }

    public void Clear() => _steps.Clear();
}
