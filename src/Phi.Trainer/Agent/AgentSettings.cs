using System.Globalization;
using Phi.Api.Agent;
using Phi.Api.Metadata;

namespace Phi.Trainer.Agent;

/// <summary>What a pod's environment tells its agent.</summary>
internal sealed record AgentSettings
{
    public required Uri OperatorUrl { get; init; }
    /// <summary>With the pod's token, which its node renews.</summary>
    public required string TokenFile { get; init; }
    /// <summary>With the authority by which the operator is known.</summary>
    public required string AuthorityFile { get; init; }
    public required AssignmentRequest Request { get; init; }
    public required string CheckpointRoot { get; init; }
    public required string DataCache { get; init; }
    /// <summary>Below it each pod has a folder of its uid for events that the operator has not taken.</summary>
    public required string EventFolder { get; init; }
    /// <summary>In the pod's memory; null where the job keeps no copies.</summary>
    public string? ReplicaFolder { get; init; }
    /// <summary>From SIGTERM to SIGKILL; null if the pod's environment does not say.</summary>
    public TimeSpan? GracePeriod { get; init; }

    /// <exception cref="ArgumentException">Names every variable that is missing or wrong.</exception>
    public static AgentSettings Read(Func<string, string?> get)
    {
        var problems = new List<string>();
        var url = Text(PhiEnvironment.OperatorUrl);
        var replica = Text(PhiEnvironment.ReplicaIndex);
        var index = 0;
        if (replica.Length > 0 && !int.TryParse(replica, CultureInfo.InvariantCulture, out index))
        {
            problems.Add($"{PhiEnvironment.ReplicaIndex} is '{replica}', which is no number");
        }

        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) && url.Length > 0)
        {
            problems.Add($"{PhiEnvironment.OperatorUrl} is '{url}', which is no URL");
        }

        long? grace = null;
        if (get(PhiEnvironment.GraceSeconds) is { Length: > 0 } given)
        {
            if (long.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
            {
                grace = seconds;
            }
            else
            {
                problems.Add($"{PhiEnvironment.GraceSeconds} is '{given}', which is no number of seconds");
            }
        }

        var request = new AssignmentRequest
        {
            Namespace = Text(PhiEnvironment.Namespace),
            Job = Text(PhiEnvironment.JobName),
            JobUid = Text(PhiEnvironment.JobUid),
            Pod = Text(PhiEnvironment.PodName),
            PodUid = Text(PhiEnvironment.PodUid),
            PodIp = Text(PhiEnvironment.PodIp),
            ReplicaIndex = index,
        };
        var settings = new AgentSettings
        {
            OperatorUrl = address ?? new Uri("http://localhost"),
            TokenFile = Text(PhiEnvironment.AgentTokenFile),
            AuthorityFile = Text(PhiEnvironment.OperatorAuthorityFile),
            Request = request,
            CheckpointRoot = get(PhiEnvironment.CheckpointRoot) ?? "/var/lib/phi/checkpoints",
            DataCache = get(PhiEnvironment.DataCache) ?? Path.Combine(Path.GetTempPath(), "phi-data"),
            EventFolder = get(PhiEnvironment.EventFolder) is { Length: > 0 } events ? events : Path.Combine(Path.GetTempPath(), "phi-events"),
            ReplicaFolder = get(PhiEnvironment.ReplicaFolder) is { Length: > 0 } replicas ? replicas : null,
            GracePeriod = grace is { } known ? TimeSpan.FromSeconds(known) : null,
        };
        return problems.Count == 0
            ? settings
            : throw new ArgumentException($"this is no training pod of the operator: {string.Join("; ", problems)}. The operator sets these variables in the pods that it creates.");

        string Text(string name)
        {
            if (get(name) is { Length: > 0 } value)
            {
                return value;
            }

            problems.Add($"{name} is not set");
            return "";
        }
    }
}
