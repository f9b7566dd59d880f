using System.Text.Json;
using System.Text.Json.Nodes;
using Phi.Api.CronTrainingJobs;
using Phi.Api.Manifests;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Docs.Tests.Markdown;

namespace Phi.Docs.Tests;

/// <summary>YAML of pages and samples is taken by the API server, with no field that it does not know, and by the operator's own validators.</summary>
public sealed class ManifestTests(DryRunServer server) : IClassFixture<DryRunServer>
{
    /// <summary>What a fragment leaves out.</summary>
    private const string Rest = "{steps: 10, data: {sources: [/srv/data/*.txt]}, batch: {global: 4096, micro: 1}}";

    private static readonly Dictionary<string, string> Plurals = new() { ["TrainingJob"] = "trainingjobs", ["TrainingQueue"] = "trainingqueues", ["CronTrainingJob"] = "crontrainingjobs" };

    public static TheoryData<string> Blocks => [.. Page.All.SelectMany(page => page.Blocks.Where(block => block.Info == "yaml").Select(block => $"{page.Name}:{block.Line}"))];

    public static TheoryData<string> Samples => [.. Directory.EnumerateFiles(Path.Combine(Repository.Root, "operators", "samples"), "*.yaml").Select(path => Path.GetRelativePath(Repository.Root, path))];

    [Theory]
    [MemberData(nameof(Blocks))]
    public async Task Block_IsTaken(string place)
    {
        var parts = place.Split(':');
        var block = Page.Read(parts[0]).Blocks.Single(one => one.Line == int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture));

        Expect.Nothing(await WrongAsync(block.Text));
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public async Task Sample_IsTaken(string path) => Expect.Nothing(await WrongAsync(await File.ReadAllTextAsync(Path.Combine(Repository.Root, path), TestContext.Current.CancellationToken)));

    [Theory]
    [InlineData("spec: {replica: 2}", "replica")]
    [InlineData("spec: {container: {image: a}, recovery: {hangTimeout: soon}}", "must be a duration")]
    [InlineData("spec: {minReplicas: 9, replicas: 8}", "minReplicas")]
    [InlineData("apiVersion: phi-orchestrator.io/v1alpha1\nkind: TrainingQueue\nmetadata: {name: a}\nspec: {order: Lifo}", "order")]
    [InlineData("operator: {replica: 2}", "operator.replica")]
    public async Task Wrong_WhatIsNone_SaysSo(string yaml, string says) => Assert.Contains(says, string.Join('\n', await WrongAsync(yaml)), StringComparison.Ordinal);

    private async Task<List<string>> WrongAsync(string yaml)
    {
        var errors = new List<string>();
        foreach (var value in ManifestReader.Read(yaml))
        {
            if (Manifest(value) is not { } manifest)
            {
                // Values of the chart, or of another kind than ours.
                errors.AddRange(value.ContainsKey("kind") ? [] : ChartValues.Wrong(value));
                continue;
            }

            var kind = (string)manifest["kind"]!;
            var (accepted, refusal) = await server.AskAsync(manifest, Plurals[kind]);
            errors.AddRange(refusal is null ? Validate(kind, accepted!) : [refusal]);
        }

        return errors;
    }

    private static IEnumerable<string> Validate(string kind, JsonObject accepted) => kind switch
    {
        "TrainingJob" => TrainingJobValidator.Validate(TrainingJobDefaults.Apply(accepted.Deserialize<TrainingJob>(PhiJson.Options)!)).Select(error => error.ToString()),
        "CronTrainingJob" => CronTrainingJobValidator.Validate(accepted.Deserialize<CronTrainingJob>(PhiJson.Options)!).Select(error => error.ToString()),
        _ => [],
    };

    /// <returns>Null: the block is none of ours.</returns>
    private static JsonObject? Manifest(JsonObject value)
    {
        if ((string?)value["kind"] is { } kind)
        {
            return Plurals.ContainsKey(kind) ? value : null;
        }

        if (value["spec"] is not JsonObject spec)
        {
            return null;
        }

        // A fragment shows what it is about.
        spec = spec.DeepClone().AsObject();
        if (spec["container"] is JsonObject container)
        {
            container["image"] ??= "registry.example/train:1";
        }
        else
        {
            var phi = (spec["phi"] ??= new JsonObject()).AsObject();
            foreach (var (name, rest) in ManifestReader.Read(Rest)[0])
            {
                phi[name] ??= rest!.DeepClone();
            }
        }

        return new JsonObject { ["apiVersion"] = PhiNames.ApiVersion, ["kind"] = "TrainingJob", ["spec"] = spec };
    }
}
