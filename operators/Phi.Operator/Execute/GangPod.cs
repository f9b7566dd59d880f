using System.Globalization;
using System.Text.Json.Nodes;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;

namespace Phi.Operator.Execute;

/// <summary>The objects of a gang as JSON: its pods and its headless service. No I/O.</summary>
internal static class GangPod
{
    private const string ConnectionStringKey = "connectionString";
    private const string ReplicaVolume = "replicas";
    private const string ReplicaFolder = "/var/lib/phi/replicas";
    private const string EventFolder = "/var/lib/phi/events";
    private const string WorkloadIdentityLabel = "azure.workload.identity/use";

    public static JsonObject Pod(TrainingJob job, int index, string name, int attempt, OperatorAddress address)
    {
        var (spec, template) = (job.Spec, job.Spec.Template!);
        var isCpu = spec.Accelerator!.Type == "cpu";
        var accelerators = new JsonObject { [isCpu ? PhiNames.CpuSlotResource : PhiNames.GpuResource] = spec.Accelerator.PerReplica!.Value.ToString(CultureInfo.InvariantCulture) };
        var resources = template.Resources?.DeepClone().AsObject() ?? [];
        foreach (var kind in new[] { "limits", "requests" })
        {
            var amounts = resources[kind] as JsonObject ?? (JsonObject)(resources[kind] = new JsonObject());
            foreach (var (resource, amount) in accelerators)
            {
                amounts[resource] = amount!.DeepClone();
            }
        }

        (string Name, string Path, JsonObject Source)[] folders =
        [
            ("dshm", "/dev/shm", Memory()), (PhiNames.EventVolume, EventFolder, []), .. spec.Checkpoint?.InMemory is null ? Array.Empty<(string, string, JsonObject)>() : [(ReplicaVolume, ReplicaFolder, Memory())],
        ];
        var container = new JsonObject
        {
            ["name"] = PhiNames.TrainerContainer,
            ["image"] = TrainerImage(job),
            ["command"] = new JsonArray("phi-trainer"),
            ["args"] = new JsonArray("agent"),
            ["env"] = Environment(job, index, address.Url, template),
            ["resources"] = resources,
            ["securityContext"] = PodSecurity.Trainer(spec),
            ["terminationMessagePolicy"] = "FallbackToLogsOnError",
            ["volumeMounts"] = With(template.VolumeMounts, [.. folders.Select(volume => new JsonObject { ["name"] = volume.Name, ["mountPath"] = volume.Path }), OperatorAccess.Mount()]),
        };
        var pod = new JsonObject
        {
            ["restartPolicy"] = "Never",
            ["terminationGracePeriodSeconds"] = template.TerminationGracePeriodSeconds,
            ["schedulingGates"] = new JsonArray(new JsonObject { ["name"] = PhiNames.GangGate }),
            ["hostname"] = name,
            ["subdomain"] = job.Metadata.Name,
            ["enableServiceLinks"] = false,
            ["automountServiceAccountToken"] = false,
            ["securityContext"] = PodSecurity.Pod(spec),
            ["containers"] = new JsonArray(container),
            ["volumes"] = With(template.Volumes, [.. folders.Select(volume => new JsonObject { ["name"] = volume.Name, ["emptyDir"] = volume.Source }), OperatorAccess.Volume()]),
        };
        Set(pod, "tolerations", template.Tolerations);
        Set(pod, "nodeSelector", template.NodeSelector is { } selector ? new JsonObject(selector.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))) : null);
        Set(pod, "serviceAccountName", template.ServiceAccountName);
        Set(pod, "priorityClassName", spec.PriorityClassName);
        var labels = Labels(job);
        if (spec.Checkpoint?.Store?.AzureBlob is { SecretName: null } || (InitializeSource.IsBlob(spec, job.Status) && InitializeSource.SecretName(spec, job.Status) is null))
        {
            // Azure's webhook gives the pods of this label their service account's identity.
            labels[WorkloadIdentityLabel] = "true";
        }

        labels[PhiNames.ReplicaIndexLabel] = index.ToString(CultureInfo.InvariantCulture);
        return new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Pod",
            ["metadata"] = new JsonObject
            {
                ["name"] = name,
                ["namespace"] = job.Metadata.Namespace,
                ["labels"] = labels,
                ["annotations"] = new JsonObject
                {
                    [PhiNames.AttemptAnnotation] = attempt.ToString(CultureInfo.InvariantCulture),
                    [PhiNames.AuthorityAnnotation] = address.AuthorityPem,
                    [PhiNames.GangSizeAnnotation] = (job.Status?.Replicas ?? spec.Replicas!.Value).ToString(CultureInfo.InvariantCulture),
                },
                ["ownerReferences"] = Owner(job),
            },
            ["spec"] = pod,
        };
    }

    /// <summary>This product's own image; a job may name where it has it from.</summary>
    public static string TrainerImage(TrainingJob job) => job.Spec.Template?.Image ?? OperatorOptions.DefaultTrainerImage;

    /// <summary>Gives each pod of the gang a name in DNS, ready or not: ranks must find each other before any of them is ready.</summary>
    public static JsonObject Service(TrainingJob job) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Service",
        ["metadata"] = new JsonObject { ["name"] = job.Metadata.Name, ["namespace"] = job.Metadata.Namespace, ["labels"] = Labels(job), ["ownerReferences"] = Owner(job) },
        ["spec"] = new JsonObject
        {
            ["clusterIP"] = "None",
            ["publishNotReadyAddresses"] = true,
            ["selector"] = new JsonObject { [PhiNames.JobUidLabel] = job.Metadata.Uid },
            ["ports"] = new JsonArray(new JsonObject { ["name"] = "rendezvous", ["port"] = PhiNames.DefaultMasterPort, ["protocol"] = "TCP" }),
        },
    };

    /// <summary>Metadata of an object that goes with the job.</summary>
    public static JsonObject Owned(TrainingJob job, string name) => new() { ["name"] = name, ["namespace"] = job.Metadata.Namespace, ["labels"] = Labels(job), ["ownerReferences"] = Owner(job) };

    private static JsonObject Labels(TrainingJob job) => new()
    {
        ["app.kubernetes.io/name"] = "phi-trainer",
        ["app.kubernetes.io/instance"] = job.Metadata.Name,
        [PhiNames.ManagedByLabel] = "phi-orchestrator",
        [PhiNames.JobNameLabel] = job.Metadata.Name,
        [PhiNames.JobUidLabel] = job.Metadata.Uid,
    };

    private static JsonArray Owner(TrainingJob job) =>
    [
        new JsonObject
        {
            ["apiVersion"] = PhiNames.ApiVersion,
            ["kind"] = "TrainingJob",
            ["name"] = job.Metadata.Name,
            ["uid"] = job.Metadata.Uid,
            ["controller"] = true,
            ["blockOwnerDeletion"] = true,
        },
    ];

    /// <summary>The user's variables first; the operator's come after and so win.</summary>
    private static JsonArray Environment(TrainingJob job, int index, string operatorUrl, PodTemplateSpec template)
    {
        var own = new Dictionary<string, JsonNode>
        {
            [PhiEnvironment.OperatorUrl] = operatorUrl,
            [PhiEnvironment.AgentTokenFile] = $"{AgentCredentials.Folder}/{AgentCredentials.TokenFile}",
            [PhiEnvironment.OperatorAuthorityFile] = $"{AgentCredentials.Folder}/{AgentCredentials.AuthorityFile}",
            [PhiEnvironment.Namespace] = job.Metadata.Namespace!,
            [PhiEnvironment.JobName] = job.Metadata.Name!,
            [PhiEnvironment.JobUid] = job.Metadata.Uid!,
            [PhiEnvironment.ReplicaIndex] = index.ToString(CultureInfo.InvariantCulture),
            [PhiEnvironment.PodName] = Field("metadata.name"),
            [PhiEnvironment.PodUid] = Field("metadata.uid"),
            [PhiEnvironment.PodIp] = Field("status.podIP"),
            [PhiEnvironment.EventFolder] = EventFolder,
            [PhiEnvironment.GraceSeconds] = template.TerminationGracePeriodSeconds!.Value.ToString(CultureInfo.InvariantCulture),
        };
        if (job.Spec.Checkpoint?.InMemory is not null)
        {
            own[PhiEnvironment.ReplicaFolder] = ReplicaFolder;
        }

        if (job.Spec.Checkpoint?.Store?.AzureBlob?.SecretName is { } secret)
        {
            own[PhiEnvironment.AzureStorageConnectionString] = ConnectionString(secret, isOptional: false);
        }

        if (InitializeSource.SecretName(job.Spec, job.Status) is { } source)
        {
            // A job goes on from a checkpoint of its own once it has one; what it began with may be gone by then.
            own[PhiEnvironment.InitializeConnectionString] = ConnectionString(source, isOptional: job.Status?.Checkpoint?.Step is not null);
        }

        var users = (template.Env ?? []).OfType<JsonObject>().Where(variable => !own.ContainsKey((string?)variable["name"] ?? "")).Select(variable => variable.DeepClone());
        return [.. users, .. own.Select(variable => new JsonObject { ["name"] = variable.Key, [variable.Value is JsonObject ? "valueFrom" : "value"] = variable.Value })];
    }

    private static JsonObject ConnectionString(string secret, bool isOptional)
    {
        var reference = new JsonObject { ["name"] = secret, ["key"] = ConnectionStringKey };
        if (isOptional)
        {
            reference["optional"] = true;
        }

        return new JsonObject { ["secretKeyRef"] = reference };
    }

    private static JsonObject Memory() => new() { ["medium"] = "Memory" };

    private static JsonObject Field(string path) => new() { ["fieldRef"] = new JsonObject { ["fieldPath"] = path } };

    private static JsonArray With(JsonArray? given, params JsonObject[] own) => [.. (given ?? []).Select(item => item?.DeepClone()), .. own];

    private static void Set(JsonObject pod, string name, JsonNode? value)
    {
        if (value is not null)
        {
            pod[name] = value.DeepClone();
        }
    }
}
