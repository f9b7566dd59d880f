namespace Phi.LocalCluster.Scheduling;

/// <summary>What the pods of one node take.</summary>
internal sealed class NodeUsage
{
    private readonly Dictionary<string, decimal> _sum = new(StringComparer.Ordinal);

    public static NodeUsage None { get; } = new();

    public IReadOnlyDictionary<string, decimal> Sum => _sum;

    public int Pods { get; private set; }

    /// <param name="sign">1 for a pod that comes, -1 for one that goes.</param>
    public void Add(IReadOnlyDictionary<string, decimal> requests, int sign)
    {
        Pods += sign;
        foreach (var (name, amount) in requests)
        {
            _sum[name] = _sum.GetValueOrDefault(name) + sign * amount;
        }
    }
}
