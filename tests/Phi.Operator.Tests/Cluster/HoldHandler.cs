using System.IO.Pipelines;
using System.Net;

namespace Phi.Operator.Tests.Cluster;

/// <summary>Watches of a kind begin and never show anything, as those of a server that is far behind.</summary>
internal sealed class HoldHandler(Predicate<HttpRequestMessage> isOfKind) : DelegatingHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => isOfKind(request)
        ? Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { RequestMessage = request, Content = new StreamContent(new Pipe().Reader.AsStream()) })
        : base.SendAsync(request, cancellationToken);
}
