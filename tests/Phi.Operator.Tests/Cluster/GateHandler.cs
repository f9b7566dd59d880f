namespace Phi.Operator.Tests.Cluster;

/// <summary>Counts requests on their way, and lets none through while it is shut.</summary>
internal sealed class GateHandler : DelegatingHandler
{
    private int _inFlight;

    public bool IsShut { get; set; }

    public bool IsIdle => Volatile.Read(ref _inFlight) == 0;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (IsShut)
        {
            throw new HttpRequestException("the network is gone");
        }

        Interlocked.Increment(ref _inFlight);
        try
        {
            return await base.SendAsync(request, cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _inFlight);
        }
    }
}
