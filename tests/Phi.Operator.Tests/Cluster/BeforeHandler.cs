namespace Phi.Operator.Tests.Cluster;

/// <summary>Has something else happen before the first request of a kind goes on its way.</summary>
internal sealed class BeforeHandler(Predicate<HttpRequestMessage> isOfKind, Func<Task> happen) : DelegatingHandler
{
    private int _count;

    /// <summary>How often it happened.</summary>
    public int Count => Volatile.Read(ref _count);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (isOfKind(request) && Interlocked.CompareExchange(ref _count, 1, 0) == 0)
        {
            await happen();
        }

        return await base.SendAsync(request, cancellationToken);
    }
}
