namespace Phi.Trainer.Progress;

/// <summary>Says what is wrong with lines that are no progress: the first ones of each minute, of the others how many they were.</summary>
internal sealed class SkippedLines(TimeProvider time, Action<string> log)
{
    private const int MostNamed = 10;
    private const int MostCharacters = 120;
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1);
    private long _since = time.GetTimestamp();
    private int _named;
    private int _unnamed;

    public void Add(FileLine line, string problem)
    {
        Look();
        if (_named == MostNamed)
        {
            _unnamed++;
            return;
        }

        _named++;
        var text = System.Text.Encoding.UTF8.GetString(line.Text.Span[..Math.Min(line.Text.Length, MostCharacters)]);
        log($"line {line.Number} is skipped: {problem} It begins: {new string([.. text.Select(character => char.IsControl(character) ? ' ' : character)])}");
    }

    /// <summary>Says how many were not named once their minute is over.</summary>
    public void Look()
    {
        if (time.GetElapsedTime(_since) >= Period)
        {
            Flush();
            (_since, _named) = (time.GetTimestamp(), 0);
        }
    }

    /// <summary>Says it now.</summary>
    public void Flush()
    {
        if (_unnamed > 0)
        {
            log($"{_unnamed} more {(_unnamed == 1 ? "line was" : "lines were")} skipped");
            _unnamed = 0;
        }
    }
}
