using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;

namespace Phi.Dashboard.Actions;

/// <summary>A job's manifest once more, under a name that is free.</summary>
internal static partial class Resubmission
{
    private const int MostName = 63;

    /// <summary>The manifest as its user wrote it, without what the cluster added.</summary>
    public static JsonObject Manifest(TrainingJob job) => Manifest(job, job.Metadata.Name!, Copy(job.Spec));

    /// <summary>A new job that begins as this one did, or with one of its checkpoints.</summary>
    /// <param name="step">The checkpoint's; null: from the beginning.</param>
    public static JsonObject Of(TrainingJob job, long? step, Func<string, bool> isTaken)
    {
        var spec = Copy(job.Spec);
        spec.Suspend = null;
        if (step is not null && spec.Phi is { } phi)
        {
            // What has done all its steps cannot go on; its weights can be trained further.
            var isDone = step >= phi.Steps;
            phi.Initialize = new InitializeSpec { From = new InitializeSourceSpec { Job = job.Metadata.Name }, Step = step, What = isDone ? "weights" : "everything" };
        }

        return Manifest(job, FreeName(job.Metadata.Name!, isTaken), spec);
    }

    private static JsonObject Manifest(TrainingJob job, string name, TrainingJobSpec spec)
    {
        var metadata = new JsonObject { ["name"] = name };
        if (job.Metadata.Namespace is { } @namespace and not "default")
        {
            metadata["namespace"] = @namespace;
        }

        AddUsers(metadata, "labels", job.Metadata.Labels);
        AddUsers(metadata, "annotations", job.Metadata.Annotations);
        return new JsonObject
        {
            ["apiVersion"] = PhiNames.ApiVersion,
            ["kind"] = "TrainingJob",
            ["metadata"] = metadata,
            ["spec"] = JsonSerializer.SerializeToNode(spec, PhiJson.Options),
        };
    }

    private static void AddUsers(JsonObject metadata, string field, Dictionary<string, string>? values)
    {
        var users = (values ?? []).Where(pair => !pair.Key.StartsWith(PhiNames.Group, StringComparison.Ordinal) && !pair.Key.StartsWith("kubectl.kubernetes.io/", StringComparison.Ordinal)).ToList();
        if (users.Count > 0)
        {
            metadata[field] = new JsonObject(users.Select(pair => KeyValuePair.Create<string, JsonNode?>(pair.Key, pair.Value)));
        }
    }

    /// <summary>train, train-2, train-3 and so on.</summary>
    private static string FreeName(string name, Func<string, bool> isTaken)
    {
        var stem = Number().Replace(name, "");
        return Enumerable.Range(2, int.MaxValue - 2).Select(Numbered).First(candidate => !isTaken(candidate));

        string Numbered(int number)
        {
            var suffix = string.Create(CultureInfo.InvariantCulture, $"-{number}");
            return (stem.Length + suffix.Length > MostName ? stem[..(MostName - suffix.Length)].TrimEnd('-') : stem) + suffix;
        }
    }

    /// <summary>Without the false that the API server writes for a job which is not suspended.</summary>
    private static TrainingJobSpec Copy(TrainingJobSpec spec)
    {
        var copy = JsonSerializer.Deserialize<TrainingJobSpec>(JsonSerializer.SerializeToUtf8Bytes(spec, PhiJson.Options), PhiJson.Options)!;
        copy.Suspend = copy.Suspend == true ? true : null;
        return copy;
    }

    [GeneratedRegex("-[0-9]{1,4}$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Number();
}
