using System.Net;
using Phi.Kubernetes;

namespace Phi.Operator.Controllers;

/// <summary>What kind of failure it was, in one word for a metric.</summary>
internal static class ErrorClass
{
    public static string Of(Exception e) => e switch
    {
        KubernetesApiException { Code: HttpStatusCode.Conflict } => "Conflict",
        KubernetesApiException { Code: HttpStatusCode.TooManyRequests } => "Throttled",
        KubernetesApiException { Code: HttpStatusCode.NotFound } => "NotFound",
        KubernetesApiException { Code: HttpStatusCode.Forbidden } => "Forbidden",
        KubernetesApiException { Code: >= HttpStatusCode.InternalServerError } => "ServerError",
        KubernetesApiException => "Refused",
        HttpRequestException or IOException or OperationCanceledException => "Unreachable",
        _ => "Unexpected",
    };
}
