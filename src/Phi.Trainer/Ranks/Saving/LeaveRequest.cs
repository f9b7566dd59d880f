using System.Globalization;

namespace Phi.Trainer.Ranks.Saving;

/// <summary>The agent's wish that its ranks leave, and the time that they have for it. Written by the thread that listens to the agent.</summary>
internal sealed class LeaveRequest(TimeProvider time) : IDisposable
{
    private const string Word = "stop";
    private readonly CancellationTokenSource _asked = new();
    private readonly Deadline _deadline = new(time);

    /// <summary>Cancelled when the rank is asked.</summary>
    public CancellationToken Token => _asked.Token;

    public bool IsAsked => _asked.IsCancellationRequested;

    /// <summary>Infinity if nobody has said.</summary>
    public double SecondsLeft => _deadline.Left?.TotalSeconds ?? double.PositiveInfinity;

    /// <summary>A line that asks: <c>stop</c>, or <c>stop 12.5</c> with the seconds that are left.</summary>
    /// <param name="left">Null: nobody knows.</param>
    public static string Line(TimeSpan? left) => left is { } known ? string.Create(CultureInfo.InvariantCulture, $"{Word} {known.TotalSeconds:0.000}") : Word;

    /// <summary>Does what such a line asks for. It may come again, with less time; other lines say nothing.</summary>
    public void Read(string line)
    {
        if (line == Word)
        {
            Ask(null);
        }
        else if (line.StartsWith(Word + " ", StringComparison.Ordinal) && double.TryParse(line.AsSpan(Word.Length), CultureInfo.InvariantCulture, out var seconds))
        {
            Ask(TimeSpan.FromSeconds(seconds));
        }
    }

    public void Ask(TimeSpan? left)
    {
        if (left is { } known)
        {
            _deadline.Add(known);
        }

        _asked.Cancel();
    }

    public void Dispose() => _asked.Dispose();
}
