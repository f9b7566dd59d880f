using System.Text.Json.Nodes;

namespace Phi.Kubernetes;

/// <summary>The namespaces whose objects a program looks after: all, or some by name.</summary>
public sealed record NamespaceScope
{
    private NamespaceScope(IReadOnlyList<string?> names) => Names = names;

    public static NamespaceScope Everywhere { get; } = new([null]);

    /// <summary>Null: one list and one watch reach all of them.</summary>
    public IReadOnlyList<string?> Names { get; }

    /// <param name="names">None: everywhere.</param>
    public static NamespaceScope Of(IEnumerable<string> names) => names.Distinct(StringComparer.Ordinal).ToList() is { Count: > 0 } some ? new NamespaceScope(some) : Everywhere;

    /// <summary>Every object of these namespaces as the API server has it now.</summary>
    public async Task<IReadOnlyList<TItem>> ListAsync<T, TItem>(ResourceClient<T> client, Func<JsonObject, TItem> read, CancellationToken ct)
        where T : class
    {
        List<TItem> all = [];
        foreach (var name in Names)
        {
            all.AddRange((await client.ListAsync(name, null, read, ct)).Items);
        }

        return all;
    }
}
