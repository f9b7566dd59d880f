namespace Phi.Operator.Metrics;

/// <summary>Counts and times each request to the Kubernetes API by verb and resource.</summary>
internal sealed class ApiMetricsHandler(OperatorMetrics metrics, TimeProvider time) : DelegatingHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var (verb, resource) = Describe(request);
        var start = time.GetTimestamp();
        int? code = null;
        try
        {
            var response = await base.SendAsync(request, cancellationToken);
            code = (int)response.StatusCode;
            return response;
        }
        finally
        {
            metrics.Requested(verb, resource, code, time.GetElapsedTime(start));
        }
    }

    /// <summary>As audit logs name it: <c>/apis/GROUP/VERSION/namespaces/NS/RESOURCE/NAME/SUBRESOURCE</c>.</summary>
    internal static (string Verb, string Resource) Describe(HttpRequestMessage request)
    {
        var parts = request.RequestUri!.AbsolutePath.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var first = parts is ["api", ..] ? 2 : parts is ["apis", ..] ? 3 : parts.Length;
        if (first + 2 < parts.Length && parts[first] == "namespaces")
        {
            first += 2;
        }

        var hasName = parts.Length > first + 1;
        var resource = first >= parts.Length ? "other" : parts.Length > first + 2 ? $"{parts[first]}/{parts[first + 2]}" : parts[first];
        var verb = request.Method.Method switch
        {
            "GET" when request.RequestUri.Query.Contains("watch=true", StringComparison.Ordinal) => "watch",
            "GET" => hasName ? "get" : "list",
            "POST" => "create",
            "PUT" => "update",
            "PATCH" => request.Content?.Headers.ContentType?.MediaType == "application/apply-patch+yaml" ? "apply" : "patch",
            "DELETE" => hasName ? "delete" : "deletecollection",
            _ => "other",
        };
        return (verb, resource);
    }
}
