namespace Phi.Operator.Metrics;

/// <summary>Keeps a label's values few: the first ones seen keep their name, all later ones are <c>Other</c>.</summary>
internal sealed class BoundedLabel(int most = 40)
{
    private const string Other = "Other";
    private readonly Lock _lock = new();
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    public string Of(string? value)
    {
        if (string.IsNullOrEmpty(value))
        {
            return Other;
        }

        lock (_lock)
        {
            return _known.Contains(value) || (_known.Count < most && _known.Add(value)) ? value : Other;
        }
    }
}
