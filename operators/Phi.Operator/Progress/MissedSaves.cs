using Phi.Api.Agent;

namespace Phi.Operator.Progress;

/// <summary>Which checkpoints that were not saved are known already: the newest by name, and all that were missed before them.</summary>
internal sealed class MissedSaves
{
    private const int MostRemembered = 256;
    private readonly SortedSet<(DateTimeOffset Time, int Attempt, long Step)> _newest = [];
    private DateTimeOffset _before = DateTimeOffset.MinValue;

    /// <returns>Whether it was not known.</returns>
    public bool Add(int attempt, MissedCheckpoint missed)
    {
        if (Milliseconds(missed.Time) <= _before || !_newest.Add((missed.Time, attempt, missed.Step)))
        {
            return false;
        }

        if (_newest.Count > MostRemembered)
        {
            _before = Milliseconds(_newest.Min.Time);
            _newest.Remove(_newest.Min);
        }

        return true;
    }

    /// <summary>What was missed up to then is in the ledger.</summary>
    public void Restore(DateTimeOffset until) => _before = until > _before ? until : _before;

    /// <summary>As the ledger keeps times.</summary>
    private static DateTimeOffset Milliseconds(DateTimeOffset time) => DateTimeOffset.FromUnixTimeMilliseconds(time.ToUnixTimeMilliseconds());
}
