using System.Collections.Immutable;
using k8s.Models;

namespace Phi.Operator.Observe;

/// <summary>Nodes by accelerator type, kept up with each change; readers take what is there without a copy.</summary>
internal sealed class NodeIndex
{
    private readonly Lock _lock = new();
    private ImmutableDictionary<string, NodeFacts> _byName = ImmutableDictionary<string, NodeFacts>.Empty.WithComparers(StringComparer.Ordinal);
    private ImmutableSortedDictionary<string, ImmutableSortedDictionary<string, NodeFacts>> _byType = ImmutableSortedDictionary<string, ImmutableSortedDictionary<string, NodeFacts>>.Empty.WithComparers(StringComparer.Ordinal);

    public ImmutableArray<string> Types => [.. _byType.Keys.Where(type => type.Length > 0)];

    public NodeFacts? Get(string name) => _byName.GetValueOrDefault(name);

    public IEnumerable<NodeFacts> OfType(string type) => _byType.TryGetValue(type, out var nodes) ? nodes.Values : [];

    /// <summary>Takes a change in (null: the node is gone); the types whose gangs may fare otherwise for it.</summary>
    public IReadOnlyList<string> Change(string name, V1Node? node)
    {
        lock (_lock)
        {
            var (old, now) = (Get(name), node is null ? null : NodeFacts.Of(node));
            if (old is not null)
            {
                Put(old.AcceleratorType, nodes => nodes.Remove(name));
                _byName = _byName.Remove(name);
            }

            if (now is not null)
            {
                Put(now.AcceleratorType, nodes => nodes.Add(name, now));
                _byName = _byName.Add(name, now);
            }

            return old is not null && now is not null && !now.Differs(old) ? [] : [.. new[] { old?.AcceleratorType, now?.AcceleratorType }.OfType<string>().Distinct()];
        }
    }

    private void Put(string type, Func<ImmutableSortedDictionary<string, NodeFacts>, ImmutableSortedDictionary<string, NodeFacts>> change)
    {
        var nodes = change(_byType.GetValueOrDefault(type) ?? ImmutableSortedDictionary<string, NodeFacts>.Empty.WithComparers(StringComparer.Ordinal));
        _byType = nodes.IsEmpty ? _byType.Remove(type) : _byType.SetItem(type, nodes);
    }
}
