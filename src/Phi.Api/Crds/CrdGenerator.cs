using System.Text.Json.Nodes;
using System.Xml.Linq;
using Phi.Api.CronTrainingJobs;
using Phi.Api.Manifests;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Api.TrainingQueues;

namespace Phi.Api.Crds;

/// <summary>Makes the CustomResourceDefinitions from the wire types, their comments, and the rules of <see cref="CrdRules"/>.</summary>
public static class CrdGenerator
{
    /// <param name="documentation">The compiler's XML documentation file of this assembly.</param>
    /// <returns>File name to YAML.</returns>
    public static IReadOnlyDictionary<string, string> Generate(XDocument documentation)
    {
        var schemas = new SchemaBuilder(documentation);
        return new Dictionary<string, string>
        {
            ["trainingjobs.yaml"] = YamlText.Write(Definition("TrainingJob", "trainingjobs", "tj", namespaced: true, Whole(schemas, typeof(TrainingJob), typeof(TrainingJobSpec), typeof(TrainingJobStatus), CrdRules.TrainingJob), TrainingJobColumns)),
            ["trainingqueues.yaml"] = YamlText.Write(Definition("TrainingQueue", "trainingqueues", "tq", namespaced: false, Whole(schemas, typeof(TrainingQueue), typeof(TrainingQueueSpec), typeof(TrainingQueueStatus), CrdRules.TrainingQueue), QueueColumns)),
            ["crontrainingjobs.yaml"] = YamlText.Write(Definition("CronTrainingJob", "crontrainingjobs", "ctj", namespaced: true, Whole(schemas, typeof(CronTrainingJob), typeof(CronTrainingJobSpec), typeof(CronTrainingJobStatus), CrdRules.CronTrainingJob), CronColumns)),
        };
    }

    private static JsonArray TrainingJobColumns =>
    [
        Column("State", ".status.phase"),
        Column("Ready", ".status.ready"),
        Column("Step", ".status.progress.step", "integer"),
        Column("Loss", ".status.progress.loss", "number"),
        Column("Restarts", ".status.restarts", "integer"),
        Column("Checkpoint", ".status.checkpoint.time", "date"),
        Column("Queue", ".spec.queue", priority: 1),
        Column("Attempt", ".status.attempt", "integer", 1),
        Column("Goodput", ".status.goodput.ratio", "number", 1),
        Column("Pass@1", ".status.evaluation.passAt1", "number", 1),
        Column("Nodes", ".status.nodes", priority: 1),
        Column("Age", ".metadata.creationTimestamp", "date"),
    ];

    private static JsonArray QueueColumns =>
    [
        Column("Cohort", ".spec.cohort"),
        Column("Pending", ".status.pendingJobs", "integer"),
        Column("Admitted", ".status.admittedJobs", "integer"),
        Column("Age", ".metadata.creationTimestamp", "date"),
    ];

    private static JsonArray CronColumns =>
    [
        Column("Schedule", ".spec.schedule"),
        Column("Time Zone", ".spec.timeZone"),
        Column("Suspend", ".spec.suspend", "boolean"),
        Column("Last Schedule", ".status.lastScheduleTime", "date"),
        Column("Age", ".metadata.creationTimestamp", "date"),
    ];

    private static JsonObject Whole(SchemaBuilder schemas, Type kind, Type spec, Type status, IReadOnlyList<CrdRule> rules)
    {
        var specSchema = schemas.Of(spec);
        foreach (var rule in rules)
        {
            rule.AddTo(specSchema);
        }

        return new JsonObject
        {
            ["type"] = "object",
            ["description"] = schemas.Describe(kind),
            ["required"] = new JsonArray("spec"),
            ["properties"] = new JsonObject
            {
                ["apiVersion"] = new JsonObject { ["type"] = "string" },
                ["kind"] = new JsonObject { ["type"] = "string" },
                ["metadata"] = new JsonObject { ["type"] = "object" },
                ["spec"] = specSchema,
                ["status"] = schemas.Of(status),
            },
        };
    }

    private static JsonObject Definition(string kind, string plural, string shortName, bool namespaced, JsonObject schema, JsonArray columns) => new()
    {
        ["apiVersion"] = "apiextensions.k8s.io/v1",
        ["kind"] = "CustomResourceDefinition",
        ["metadata"] = new JsonObject { ["name"] = $"{plural}.{PhiNames.Group}" },
        ["spec"] = new JsonObject
        {
            ["group"] = PhiNames.Group,
            ["scope"] = namespaced ? "Namespaced" : "Cluster",
            ["names"] = new JsonObject
            {
                ["kind"] = kind,
                ["listKind"] = $"{kind}List",
                ["plural"] = plural,
                ["singular"] = kind.ToLowerInvariant(),
                ["shortNames"] = new JsonArray(shortName),
                ["categories"] = new JsonArray("phi"),
            },
            ["versions"] = new JsonArray(new JsonObject
            {
                ["name"] = PhiNames.Version,
                ["served"] = true,
                ["storage"] = true,
                ["subresources"] = new JsonObject { ["status"] = new JsonObject() },
                ["additionalPrinterColumns"] = columns,
                ["schema"] = new JsonObject { ["openAPIV3Schema"] = schema },
            }),
        },
    };

    private static JsonObject Column(string name, string path, string type = "string", int priority = 0)
    {
        var column = new JsonObject { ["name"] = name, ["type"] = type, ["jsonPath"] = path };
        if (priority > 0)
        {
            column["priority"] = priority;
        }

        return column;
    }
}
