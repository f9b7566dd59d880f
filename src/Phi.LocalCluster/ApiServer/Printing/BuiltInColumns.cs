using System.Text.Json.Nodes;

namespace Phi.LocalCluster.ApiServer.Printing;

/// <summary>Columns of the built-in kinds, as kubectl users know them.</summary>
internal static class BuiltInColumns
{
    public static IReadOnlyList<PrinterColumn> Of(string group, string plural) => (group, plural) switch
    {
        ("", "pods") => Pods,
        ("", "nodes") => Nodes,
        ("", "namespaces") => [PrinterColumn.NameColumn, PrinterColumn.Text("Status", ns => (string?)ns["status"]?["phase"]), PrinterColumn.AgeColumn],
        (_, "events") => Events,
        ("", "services") =>
        [
            PrinterColumn.NameColumn,
            PrinterColumn.Text("Type", service => (string?)service["spec"]?["type"]),
            PrinterColumn.Text("Cluster-IP", service => (string?)service["spec"]?["clusterIP"]),
            PrinterColumn.Text("Port(s)", service => service["spec"]?["ports"] is JsonArray ports ? string.Join(",", ports.Select(port => $"{port!["port"]}/{(string?)port["protocol"] ?? "TCP"}")) : null),
            PrinterColumn.AgeColumn,
        ],
        ("", "configmaps") => [PrinterColumn.NameColumn, Count("Data", map => map["data"]), PrinterColumn.AgeColumn],
        ("", "secrets") => [PrinterColumn.NameColumn, PrinterColumn.Text("Type", secret => (string?)secret["type"]), Count("Data", secret => secret["data"]), PrinterColumn.AgeColumn],
        ("coordination.k8s.io", _) => [PrinterColumn.NameColumn, PrinterColumn.Text("Holder", lease => (string?)lease["spec"]?["holderIdentity"]), PrinterColumn.AgeColumn],
        ("scheduling.k8s.io", _) =>
        [
            PrinterColumn.NameColumn,
            PrinterColumn.Text("Value", priority => priority["value"]?.ToString()),
            PrinterColumn.Text("Global-Default", priority => (bool?)priority["globalDefault"] == true ? "true" : "false"),
            PrinterColumn.AgeColumn,
            PrinterColumn.Text("PreemptionPolicy", priority => (string?)priority["preemptionPolicy"]),
        ],
        ("rbac.authorization.k8s.io", "roles" or "clusterroles") => [PrinterColumn.NameColumn, CreatedAt],
        ("rbac.authorization.k8s.io", _) =>
        [
            PrinterColumn.NameColumn,
            PrinterColumn.Text("Role", binding => $"{(string?)binding["roleRef"]?["kind"]}/{(string?)binding["roleRef"]?["name"]}"),
            PrinterColumn.AgeColumn,
            PrinterColumn.Text("Users", binding => Subjects(binding, "User"), 1),
            PrinterColumn.Text("Groups", binding => Subjects(binding, "Group"), 1),
            PrinterColumn.Text("ServiceAccounts", binding => Subjects(binding, "ServiceAccount"), 1),
        ],
        ("policy", _) =>
        [
            PrinterColumn.NameColumn,
            PrinterColumn.Text("Min Available", budget => budget["spec"]?["minAvailable"]?.ToString() ?? "N/A"),
            PrinterColumn.Text("Max Unavailable", budget => budget["spec"]?["maxUnavailable"]?.ToString() ?? "N/A"),
            PrinterColumn.Text("Allowed Disruptions", budget => budget["status"]?["disruptionsAllowed"]?.ToString() ?? "0"),
            PrinterColumn.AgeColumn,
        ],
        ("apps", "deployments") =>
        [
            PrinterColumn.NameColumn,
            PrinterColumn.Text("Ready", deployment => $"{deployment["status"]?["readyReplicas"] ?? 0}/{deployment["spec"]?["replicas"] ?? 0}"),
            PrinterColumn.Text("Up-To-Date", deployment => $"{deployment["status"]?["updatedReplicas"] ?? 0}"),
            PrinterColumn.Text("Available", deployment => $"{deployment["status"]?["availableReplicas"] ?? 0}"),
            PrinterColumn.AgeColumn,
        ],
        ("apps", _) => [PrinterColumn.NameColumn, PrinterColumn.Text("Ready", set => $"{set["status"]?["readyReplicas"] ?? 0}/{set["spec"]?["replicas"] ?? 0}"), PrinterColumn.AgeColumn],
        ("batch", _) =>
        [
            PrinterColumn.NameColumn,
            PrinterColumn.Text("Status", job => (string?)(Ended(job, "Complete") ?? Ended(job, "Failed"))?["type"] ?? "Running"),
            PrinterColumn.Text("Completions", job => $"{job["status"]?["succeeded"] ?? 0}/{job["spec"]?["completions"]}"),
            PrinterColumn.AgeColumn,
        ],
        ("apiextensions.k8s.io", _) => [PrinterColumn.NameColumn, CreatedAt],
        _ => [PrinterColumn.NameColumn, PrinterColumn.AgeColumn],
    };

    private static JsonNode? Ended(JsonObject job, string type) =>
        (job["status"]?["conditions"] as JsonArray ?? []).FirstOrDefault(condition => (string?)condition?["type"] == type && (string?)condition["status"] == "True");

    private static IReadOnlyList<PrinterColumn> Pods =>
    [
        PrinterColumn.NameColumn,
        PrinterColumn.Text("Ready", pod => $"{Containers(pod).Count(status => (bool?)status["ready"] == true)}/{(pod["spec"]?["containers"] as JsonArray)?.Count ?? 0}"),
        PrinterColumn.Text("Status", PodStatus),
        new("Restarts", "string", "", 0, "Restarts", (pod, _) => Containers(pod).Sum(status => (int?)status["restartCount"] ?? 0).ToString(System.Globalization.CultureInfo.InvariantCulture)),
        PrinterColumn.AgeColumn,
        PrinterColumn.Text("IP", pod => (string?)pod["status"]?["podIP"], 1),
        PrinterColumn.Text("Node", pod => (string?)pod["spec"]?["nodeName"], 1),
        PrinterColumn.Text("Nominated Node", pod => (string?)pod["status"]?["nominatedNodeName"], 1),
        PrinterColumn.Text("Readiness Gates", _ => null, 1),
    ];

    private static IReadOnlyList<PrinterColumn> Nodes =>
    [
        PrinterColumn.NameColumn,
        PrinterColumn.Text("Status", NodeStatus),
        PrinterColumn.Text("Roles", node => (node["metadata"]?["labels"] as JsonObject)?.Select(label => label.Key).Where(key => key.StartsWith(RolePrefix, StringComparison.Ordinal)).Select(key => key[RolePrefix.Length..]).ToList() is { Count: > 0 } roles ? string.Join(",", roles) : null),
        PrinterColumn.AgeColumn,
        PrinterColumn.Text("Version", node => (string?)node["status"]?["nodeInfo"]?["kubeletVersion"]),
        PrinterColumn.Text("Internal-IP", node => Address(node, "InternalIP"), 1),
        PrinterColumn.Text("External-IP", node => Address(node, "ExternalIP"), 1),
        PrinterColumn.Text("OS-Image", node => (string?)node["status"]?["nodeInfo"]?["osImage"], 1),
        PrinterColumn.Text("Kernel-Version", node => (string?)node["status"]?["nodeInfo"]?["kernelVersion"], 1),
        PrinterColumn.Text("Container-Runtime", node => (string?)node["status"]?["nodeInfo"]?["containerRuntimeVersion"], 1),
    ];

    private static IReadOnlyList<PrinterColumn> Events =>
    [
        new("Last Seen", "string", "", 0, "Last Seen", (value, now) => PrinterColumn.Age(value["lastTimestamp"] ?? value["series"]?["lastObservedTime"] ?? value["eventTime"] ?? value["deprecatedLastTimestamp"], now)),
        PrinterColumn.Text("Type", value => (string?)value["type"]),
        PrinterColumn.Text("Reason", value => (string?)value["reason"]),
        PrinterColumn.Text("Object", value => (value["involvedObject"] ?? value["regarding"]) is { } about ? $"{((string?)about["kind"])?.ToLowerInvariant()}/{(string?)about["name"]}" : null),
        PrinterColumn.Text("Message", value => (string?)(value["message"] ?? value["note"])),
    ];

    private static PrinterColumn CreatedAt => new("Created At", "date", "", 0, "Created At", (value, _) => (string?)value["metadata"]?["creationTimestamp"]);

    private static string? Subjects(JsonObject binding, string kind) =>
        string.Join(", ", (binding["subjects"] as JsonArray ?? []).Where(subject => (string?)subject?["kind"] == kind).Select(subject => kind == "ServiceAccount" ? $"{(string?)subject!["namespace"]}/{(string?)subject["name"]}" : (string?)subject!["name"]));

    private const string RolePrefix = "node-role.kubernetes.io/";

    private static PrinterColumn Count(string name, Func<JsonObject, JsonNode?> members) =>
        new(name, "integer", "", 0, name, (value, _) => (members(value) as JsonObject)?.Count ?? 0);

    private static IEnumerable<JsonNode> Containers(JsonObject pod) => (pod["status"]?["containerStatuses"] as JsonArray ?? []).OfType<JsonNode>();

    /// <summary>The one word that kubectl shows: a container's reason rather than the phase, and Terminating above all.</summary>
    private static string PodStatus(JsonObject pod)
    {
        var reason = (string?)pod["status"]?["reason"] ?? (string?)pod["status"]?["phase"] ?? "Unknown";
        foreach (var condition in (pod["status"]?["conditions"] as JsonArray ?? []).OfType<JsonNode>())
        {
            if ((string?)condition["type"] == "PodScheduled" && (string?)condition["reason"] == "SchedulingGated")
            {
                reason = "SchedulingGated";
            }
        }

        foreach (var status in Containers(pod))
        {
            var (waiting, terminated) = (status["state"]?["waiting"], status["state"]?["terminated"]);
            reason = (string?)waiting?["reason"] ?? (string?)terminated?["reason"] ?? (terminated is not null ? $"ExitCode:{terminated["exitCode"]}" : reason);
        }

        return pod["metadata"]?["deletionTimestamp"] is not null ? "Terminating" : reason;
    }

    private static string NodeStatus(JsonObject node)
    {
        var ready = (node["status"]?["conditions"] as JsonArray ?? []).FirstOrDefault(condition => (string?)condition?["type"] == "Ready");
        var status = (string?)ready?["status"] switch { "True" => "Ready", null => "Unknown", _ => "NotReady" };
        return (bool?)node["spec"]?["unschedulable"] == true ? $"{status},SchedulingDisabled" : status;
    }

    private static string? Address(JsonObject node, string type) =>
        (string?)(node["status"]?["addresses"] as JsonArray ?? []).FirstOrDefault(address => (string?)address?["type"] == type)?["address"];
}
