namespace Phi.Operator.Leader;

/// <summary>
/// The last gate before the network: a replica that does not lead changes nothing in the cluster, even if some loop of it has not yet
/// heard. Reads pass.
/// </summary>
internal sealed class FenceHandler(Leadership leadership) : DelegatingHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        request.Method == HttpMethod.Get || leadership.IsLeading
            ? base.SendAsync(request, cancellationToken)
            : throw new HttpRequestException($"{request.Method} {request.RequestUri?.AbsolutePath} was not sent: this replica no longer leads");
}
