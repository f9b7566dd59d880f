using System.Security.Cryptography;

namespace Phi.Api.Metadata;

/// <summary>Names as Kubernetes generates them: what was given, and five random characters.</summary>
public static class GeneratedName
{
    /// <summary>Without vowels and what looks like them.</summary>
    private const string Characters = "bcdfghjklmnpqrstvwxz2456789";

    public static string Of(string prefix) => $"{prefix}-{RandomNumberGenerator.GetString(Characters, 5)}";
}
