using System.Globalization;

namespace Phi.Reconcile;

/// <summary>Times in messages.</summary>
internal static class UtcText
{
    /// <summary>As Kubernetes writes them: RFC 3339 in UTC, whole seconds.</summary>
    public static string Of(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
