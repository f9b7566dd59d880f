using System.Text.Json.Nodes;
using Phi.Api.Manifests;

namespace Phi.Chart.Tests;

/// <summary>The chart, by the real helm.</summary>
internal static class HelmChart
{
    public const string Namespace = "phi-system";

    public static string Folder { get; } = Path.Combine(Repository.Root, "charts", "phi-orchestrator");

    /// <summary>Value sets beside what the chart makes of them.</summary>
    public static string Golden { get; } = Path.Combine(Repository.Root, "tests", "Phi.Chart.Tests", "Golden");

    public static IEnumerable<string> ValueSets => Directory.EnumerateFiles(Golden, "*.values.yaml").Select(path => Path.GetFileName(path)[..^".values.yaml".Length]).Order(StringComparer.Ordinal);

    /// <summary>On the PATH, or where the test script puts it.</summary>
    public static string Program { get; } = Find("helm");

    public static string Kubectl { get; } = Environment.GetEnvironmentVariable("KUBECTL") ?? Find("kubectl");

    public static string ValuesFile(string set) => Path.Combine(Golden, set + ".values.yaml");

    /// <summary>The manifest of a value set, without the definitions, which are compared with their own files.</summary>
    public static async Task<string> RenderAsync(string set, params string[] more) =>
        (await TemplateAsync(["--values", ValuesFile(set), "--set", "crds.enabled=false", .. more])).Ok().Output;

    public static Task<CommandResult> TemplateAsync(params string[] arguments) => CommandResult.RunAsync(Program, ["template", "phi", Folder, "--namespace", Namespace, .. arguments]);

    /// <summary>What the chart makes of a value set, hooks included.</summary>
    public static async Task<IReadOnlyList<JsonObject>> ObjectsAsync(string set) => ManifestReader.Read(await RenderAsync(set));

    /// <summary>Kind and name, for messages.</summary>
    public static string Name(JsonNode value) => $"{value["kind"]} {value["metadata"]?["name"]}";

    /// <summary>Pod templates of everything that makes pods.</summary>
    public static IEnumerable<(string Owner, JsonObject Template)> PodTemplates(IEnumerable<JsonObject> objects) =>
        objects.Where(one => one["spec"]?["template"]?["spec"] is JsonObject).Select(one => (Name(one), one["spec"]!["template"]!.AsObject()));

    private static string Find(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append(Path.Combine(Repository.Root, "artifacts", "tools"))
        .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists)
        ?? throw new InvalidOperationException($"{program} is neither on the PATH nor in artifacts/tools; ./phi test Chart puts it there");
}
