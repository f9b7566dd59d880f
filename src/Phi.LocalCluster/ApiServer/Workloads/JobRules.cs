using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Registry;

namespace Phi.LocalCluster.ApiServer.Workloads;

/// <summary>Defaults and rules of Jobs (batch/v1). What this control plane's controller does not do is refused, not left undone.</summary>
internal static class JobRules
{
    public const string UidLabel = "batch.kubernetes.io/controller-uid";
    public const string NameLabel = "batch.kubernetes.io/job-name";

    private static readonly string[] NotHere = ["podFailurePolicy", "successPolicy", "backoffLimitPerIndex", "maxFailedIndexes", "manualSelector", "managedBy"];
    private static readonly string[] Counts = ["parallelism", "completions"];
    private static readonly string[] Limits = ["backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished"];
    private static readonly string[] Fixed = ["selector", "completions", "completionMode", "template"];

    public static void ApplyDefaults(JsonObject job)
    {
        if (job["spec"] is not JsonObject spec)
        {
            return;
        }

        spec["parallelism"] ??= 1L;
        spec["completions"] ??= 1L;
        spec["backoffLimit"] ??= 6L;
        spec["completionMode"] ??= "NonIndexed";
        spec["suspend"] ??= false;
        spec["podReplacementPolicy"] ??= "TerminatingOrFailed";
        if (spec["template"] is JsonObject template && (string?)job["metadata"]?["uid"] is { } uid)
        {
            // By the uid, so that pods of a job of the same name before are none of this one's.
            spec["selector"] ??= new JsonObject { ["matchLabels"] = new JsonObject { [UidLabel] = uid } };
            var metadata = (template["metadata"] ??= new JsonObject()).AsObject();
            var labels = (metadata["labels"] ??= new JsonObject()).AsObject();
            var name = (string?)job["metadata"]!["name"];
            (labels[UidLabel], labels[NameLabel], labels["controller-uid"], labels["job-name"]) = (uid, name, uid, name);
        }
    }

    /// <param name="old">Null for a new object.</param>
    public static IEnumerable<FieldError> Check(JsonObject job, JsonObject? old)
    {
        var spec = job["spec"] as JsonObject ?? [];
        foreach (var field in Counts.Where(field => (long?)spec[field] != 1))
        {
            yield return FieldError.Invalid($"spec.{field}", spec[field]?.ToJsonString(), "this control plane runs one pod of a Job after the other until one succeeds: set 1, or leave it out");
        }

        if ((string?)spec["completionMode"] != "NonIndexed")
        {
            yield return FieldError.Invalid("spec.completionMode", $"\"{spec["completionMode"]}\"", "this control plane runs Jobs that are NonIndexed");
        }

        if ((bool?)spec["suspend"] == true)
        {
            yield return FieldError.Forbidden("spec.suspend", "this control plane does not suspend Jobs");
        }

        foreach (var field in NotHere.Where(field => spec[field] is not null))
        {
            yield return FieldError.Forbidden($"spec.{field}", "this control plane runs Jobs without it");
        }

        foreach (var field in Limits.Where(field => (long?)spec[field] < 0))
        {
            yield return FieldError.Invalid($"spec.{field}", spec[field]!.ToJsonString(), "must be greater than or equal to 0");
        }

        foreach (var field in Fixed.Where(field => old is not null && !JsonNode.DeepEquals(old["spec"]?[field], spec[field])))
        {
            yield return FieldError.Invalid($"spec.{field}", spec[field]?.ToJsonString(), "field is immutable");
        }

        // Where pods are restarted in place the nodes of this control plane refuse them; here the error is seen at once.
        foreach (var error in WorkloadRules.CheckTemplate(spec, ["Never"]))
        {
            yield return error;
        }
    }
}
