using System.Text.Json;
using System.Text.Json.Nodes;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Operator.Execute;

namespace Phi.Operator.Tests;

/// <summary>
/// Text that a shell, a path, SQL or a page would take for more than text, in every field of a job: the field is refused by name, or the text
/// reaches the gang's pods as a whole value of a field of its own, never as a part of another text that somebody interprets.
/// </summary>
public sealed class HostileValueTests
{
    private static readonly string[] Values =
    [
        "$(touch /tmp/phi-hostile)", "`touch /tmp/phi-hostile`", "x; touch /tmp/phi-hostile", "--flag\nnext line", "../../../etc/shadow", "'; DROP TABLE series; --", "<script>alert(1)</script>", "{{7*7}}${7*7}%s%n",
    ];

    /// <summary>Every field of a job that takes text, with a value that is good.</summary>
    private const string Job = """
        {
          "queue": "team", "priorityClassName": "high", "managedBy": "phi-orchestrator.io/operator",
          "accelerator": { "type": "cpu", "perReplica": 1 },
          "topology": { "require": "rack", "prefer": "zone" },
          "template": {
            "image": "registry.example/phi-trainer:1", "serviceAccountName": "robot",
            "nodeSelector": { "pool": "gpus" }, "tolerations": [{ "key": "dedicated", "operator": "Equal", "value": "team", "effect": "NoSchedule" }],
            "env": [{ "name": "NAME", "value": "value" }], "resources": { "limits": { "memory": "1Gi" } },
            "volumes": [{ "name": "data", "persistentVolumeClaim": { "claimName": "data" } }], "volumeMounts": [{ "name": "data", "mountPath": "/data", "subPath": "a" }],
            "podSecurityContext": { "fsGroupChangePolicy": "Always" }, "securityContext": { "procMount": "Default" }
          },
          "phi": {
            "steps": 10,
            "model": { "preset": "phi-tiny" }, "precision": "fp32", "activationCheckpointing": "full",
            "data": { "sources": ["/data/*.txt"], "tokenizer": { "bpe": { "vocabulary": "/data/vocab.json", "merges": "/data/merges.txt" } }, "filter": { "classifier": { "model": "/data/quality.json" } } },
            "evaluation": { "suites": [{ "name": "humaneval", "file": "/data/HumanEval.jsonl.gz", "sha256": "b796127e635a67f93fb35c04f4cb03cf06f38c8072ee7cee8833d7bee06979ef" }], "timeLimit": "5s", "waitAtEnd": "30m" },
            "initialize": { "from": { "job": "other", "folder": { "path": "team/model" }, "azureBlob": { "account": "models", "container": "checkpoints", "prefix": "team/run", "secretName": "key", "endpoint": "https://models.blobs.example" } }, "what": "weights" }
          },
          "container": { "image": "registry.example/torch:1", "command": ["python"], "args": ["train.py"], "workingDir": "/work", "progressFile": "FirstReplica" },
          "zero": { "stage": 3 },
          "checkpoint": { "store": { "folder": { "path": "team/run" }, "azureBlob": { "account": "models", "container": "checkpoints", "prefix": "team/run", "secretName": "key", "endpoint": "https://models.blobs.example" } } },
          "recovery": {
            "restartWindow": "1h", "backoff": "1s", "hangTimeout": "10m", "heartbeatTimeout": "10s", "bindTimeout": "60s", "startTimeout": "10m",
            "requeuingStrategy": { "backoffBase": "1s", "backoffMax": "1m" }, "divergence": { "action": "Stop" }, "stragglers": { "action": "Report" },
            "rules": [{ "reasons": ["OOMKilled"], "messageRegex": "out of memory", "action": "Fail" }]
          }
        }
        """;

    /// <summary>Of alternatives that exclude each other one is taken at a time.</summary>
    private static readonly string[][] Left =
    [
        ["container", "checkpoint.store.azureBlob", "phi.initialize.from.folder", "phi.initialize.from.azureBlob", "topology.prefer"],
        ["phi", "checkpoint.store.folder", "topology.require"],
        ["container", "checkpoint.store.folder", "phi.initialize.from.job", "phi.initialize.from.azureBlob", "topology.prefer"],
        ["container", "checkpoint.store.azureBlob", "phi.initialize.from.job", "phi.initialize.from.folder", "topology.prefer"],
    ];

    public static TheoryData<string> Hostile => [.. Values];

    [Theory]
    [MemberData(nameof(Hostile))]
    public void Field_WithHostileText_IsRefusedByNameOrReachesPodsAsAWhole(string hostile)
    {
        List<string> wrong = [];
        var (refused, rendered) = (0, 0);
        foreach (var left in Left)
        {
            foreach (var path in Texts(Spec(left)).ToList())
            {
                var spec = Spec(left);
                Put(spec, path, hostile);
                var job = Read(spec);
                if (TrainingJobValidator.Validate(job) is { Count: > 0 } errors)
                {
                    refused++;
                    wrong.AddRange(errors.Any(error => Names(error.Field, path)) ? [] : [$"{path}: refused as {string.Join("; ", errors)}"]);
                    continue;
                }

                rendered++;
                wrong.AddRange(Spliced(Objects(job), hostile).Select(place => $"{path}: a part of {place}"));
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.True(refused > 0 && rendered > 0);
    }

    [Fact]
    public void Job_OfTheseTests_IsGoodAsItIs() => Assert.All(Left, left => Assert.Empty(TrainingJobValidator.Validate(Read(Spec(left)))));

    /// <summary>A field that is added belongs into the job above.</summary>
    [Fact]
    public void Job_OfTheseTests_HasEveryFieldThatTakesText()
    {
        var there = Texts(JsonNode.Parse(Job)!).Select(path => path.Split('.').Last(part => !int.TryParse(part, out _))).ToHashSet(StringComparer.Ordinal);

        Assert.Empty(TextFields(typeof(TrainingJobSpec), []).Except(there));
    }

    private static IEnumerable<string> TextFields(Type type, HashSet<Type> seen)
    {
        if (!seen.Add(type))
        {
            yield break;
        }

        foreach (var property in type.GetProperties().Where(property => property.CanWrite))
        {
            var value = property.PropertyType is { IsGenericType: true } list && list.GetGenericTypeDefinition() == typeof(List<>) ? list.GetGenericArguments()[0] : property.PropertyType;
            if (value == typeof(string))
            {
                yield return JsonNamingPolicy.CamelCase.ConvertName(property.Name);
            }
            else if (value.Namespace == type.Namespace && value.IsClass)
            {
                foreach (var inner in TextFields(value, seen))
                {
                    yield return inner;
                }
            }
        }
    }

    private static JsonObject Spec(string[] left)
    {
        var spec = JsonNode.Parse(Job)!.AsObject();
        foreach (var path in left)
        {
            var parts = path.Split('.');
            parts[..^1].Aggregate((JsonNode?)spec, (node, part) => node?[part])?.AsObject().Remove(parts[^1]);
        }

        return spec;
    }

    private static TrainingJob Read(JsonObject spec) => TrainingJobDefaults.Apply(new TrainingJob
    {
        Metadata = new ObjectMeta { Name = "job", Namespace = "default", Uid = "11111111-2222" },
        Spec = spec.Deserialize<TrainingJobSpec>(PhiJson.Options)!,
        Status = new TrainingJobStatus { Attempt = 1 },
    });

    /// <summary>Everything that the operator makes of a job.</summary>
    private static IEnumerable<JsonObject> Objects(TrainingJob job)
    {
        var pod = GangPod.Pod(job, 0, "job-0", 1, new OperatorAddress("https://operator", "authority"));
        if (job.Spec.Container is not null)
        {
            ContainerPod.Turn(pod, job, job, 0, 1, "https://operator");
            yield return ContainerPod.DeepSpeed(job);
        }

        yield return pod;
        yield return GangPod.Service(job);
    }

    private static IEnumerable<string> Spliced(IEnumerable<JsonObject> objects, string hostile) =>
        from one in objects
        from path in Texts(one)
        let text = Get(one, path)
        where text.Contains(hostile, StringComparison.Ordinal) && text != hostile
        select $"{one["kind"]} {path}: {text}";

    private static bool Names(string field, string path)
    {
        var plain = string.Join('.', path.Split('.').Where(part => !int.TryParse(part, out _)));
        var named = System.Text.RegularExpressions.Regex.Replace(field, @"\[\d+\]", "").Replace("spec.", "", StringComparison.Ordinal);
        return plain.StartsWith(named, StringComparison.Ordinal) || named.StartsWith(plain, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Texts(JsonNode? node, string prefix = "") => node switch
    {
        JsonObject nested => nested.SelectMany(field => Texts(field.Value, $"{prefix}{field.Key.Replace('.', '\u0001')}.")),
        JsonArray list => list.SelectMany((item, i) => Texts(item, $"{prefix}{i}.")),
        JsonValue value when value.TryGetValue<string>(out _) => [prefix.TrimEnd('.')],
        _ => [],
    };

    private static JsonNode? Step(JsonNode? node, string part) => node is JsonArray list ? list[int.Parse(part, System.Globalization.CultureInfo.InvariantCulture)] : node?[part.Replace('\u0001', '.')];

    private static string Get(JsonNode node, string path) => (string)path.Split('.').Aggregate((JsonNode?)node, Step)!;

    private static void Put(JsonNode node, string path, string value)
    {
        var parts = path.Split('.');
        var parent = parts[..^1].Aggregate((JsonNode?)node, Step)!;
        if (parent is JsonArray list)
        {
            list[int.Parse(parts[^1], System.Globalization.CultureInfo.InvariantCulture)] = value;
        }
        else
        {
            parent[parts[^1]] = value;
        }
    }
}
