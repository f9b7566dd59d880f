using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Authorization;

namespace Phi.LocalCluster.ApiServer.Registry;

/// <summary>How unknown fields are met (query parameter fieldValidation).</summary>
internal enum FieldValidation
{
    Ignore,
    Warn,
    Strict,
}

/// <summary>The parameters of a write; warnings are collected in it.</summary>
internal sealed record WriteOptions(string FieldManager, bool DryRun = false, FieldValidation FieldValidation = FieldValidation.Warn, bool Force = false)
{
    public List<string> Warnings { get; } = [];

    /// <summary>Whether it is a patch other than an apply; of one that does not fit its type another refusal tells.</summary>
    public bool IsPatch { get; init; }

    /// <summary>Whose write it is. Null: the server's own, which may do everything.</summary>
    public RequestAccess? Access { get; init; }

    /// <summary>For what the server itself writes.</summary>
    public static WriteOptions Server => new("phi-apiserver", FieldValidation: FieldValidation.Ignore);
}

/// <summary>metav1.DeleteOptions.</summary>
internal sealed record DeleteOptions(long? GracePeriodSeconds = null, string? PropagationPolicy = null, string? Uid = null, string? ResourceVersion = null, bool DryRun = false)
{
    public static DeleteOptions Parse(JsonObject? body, long? gracePeriod, string? propagationPolicy, bool dryRun) => new(
        gracePeriod ?? (long?)body?["gracePeriodSeconds"],
        propagationPolicy ?? (string?)body?["propagationPolicy"] ?? ((bool?)body?["orphanDependents"] == true ? "Orphan" : null),
        (string?)body?["preconditions"]?["uid"],
        (string?)body?["preconditions"]?["resourceVersion"],
        dryRun || body?["dryRun"] is JsonArray { Count: > 0 });
}
