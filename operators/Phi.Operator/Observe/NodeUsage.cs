namespace Phi.Operator.Observe;

/// <summary>Sum of what pods take of each node. Not for several threads.</summary>
internal sealed class NodeUsage
{
    private readonly Dictionary<string, (Dictionary<string, decimal> All, Dictionary<string, decimal> Gangs)> _nodes = new(StringComparer.Ordinal);

    /// <param name="isGang">A pod of a training job: it leaves one day, others may not.</param>
    /// <param name="sign">1 or -1.</param>
    public void Count(string node, IReadOnlyDictionary<string, decimal> requests, bool isGang, int sign)
    {
        if (!_nodes.TryGetValue(node, out var sums))
        {
            _nodes[node] = sums = (new(StringComparer.Ordinal), new(StringComparer.Ordinal));
        }

        foreach (var (name, amount) in requests)
        {
            Change(sums.All, name, sign * amount);
            if (isGang)
            {
                Change(sums.Gangs, name, sign * amount);
            }
        }

        if (sums.All.Count == 0)
        {
            _nodes.Remove(node);
        }
    }

    public decimal Used(string node, string resource) => _nodes.TryGetValue(node, out var sums) ? sums.All.GetValueOrDefault(resource) : 0;

    public decimal UsedByOthers(string node, string resource) =>
        _nodes.TryGetValue(node, out var sums) ? sums.All.GetValueOrDefault(resource) - sums.Gangs.GetValueOrDefault(resource) : 0;

    private static void Change(Dictionary<string, decimal> sums, string name, decimal amount)
    {
        var now = sums.GetValueOrDefault(name) + amount;
        if (now == 0)
        {
            sums.Remove(name);
        }
        else
        {
            sums[name] = now;
        }
    }
}
