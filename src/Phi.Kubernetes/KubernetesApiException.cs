using System.Net;

namespace Phi.Kubernetes;

/// <summary>The API server's refusal: its HTTP code, and the reason and message of its metav1.Status.</summary>
public sealed class KubernetesApiException(HttpStatusCode code, string reason, string message) : Exception(message)
{
    public HttpStatusCode Code { get; } = code;
    public string Reason { get; } = reason;

    /// <summary>How long the server asks to be left alone (429 or 503 with Retry-After). Null: it did not say.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public bool IsNotFound => Code == HttpStatusCode.NotFound;
    public bool IsConflict => Code == HttpStatusCode.Conflict;
    public bool IsGone => Code == HttpStatusCode.Gone;

    /// <summary>A server-side apply with a field that the object's definition lacks, or of another type: no fault of the server's, though it says 500.</summary>
    public bool IsUnfitApply => Code == HttpStatusCode.InternalServerError && Message.StartsWith("failed to create typed patch object", StringComparison.Ordinal);
}
