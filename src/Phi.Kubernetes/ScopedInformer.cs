using Microsoft.Extensions.Logging;

namespace Phi.Kubernetes;

/// <summary>A local copy of a resource in the namespaces of a scope: one <see cref="Informer{T}"/> for each.</summary>
/// <param name="keep">What of an object is kept, and announced. Null: all of it.</param>
public sealed class ScopedInformer<T>(NamespaceScope scope, ResourceClient<T> client, string? selector, TimeProvider time, ILogger logger, Func<T, T>? keep = null) : IInformer
    where T : class
{
    private readonly IReadOnlyList<(string? Namespace, Informer<T> Informer)> _parts = [.. scope.Names.Select(name => (name, new Informer<T>(client, name, selector, time, logger, keep)))];

    public string Resource => client.Plural;

    public Task Synced => Task.WhenAll(_parts.Select(part => part.Informer.Synced));

    public long Restarts => _parts.Sum(part => part.Informer.Restarts);

    public bool IsStuck => _parts.Any(part => part.Informer.IsStuck);

    public IReadOnlyCollection<T> All => _parts is [var (_, only)] ? only.All : [.. _parts.SelectMany(part => part.Informer.All)];

    public T? Get(ResourceKey key) => _parts.FirstOrDefault(part => part.Namespace is null || part.Namespace == key.Namespace).Informer?.Get(key);

    /// <summary>Follows until cancelled. <paramref name="onChange"/> gets the key, the old and the new state (null: none); with several namespaces from several threads at once.</summary>
    public Task RunAsync(Action<ResourceKey, T?, T?> onChange, CancellationToken ct) => Task.WhenAll(_parts.Select(part => part.Informer.RunAsync(onChange, ct)));
}
