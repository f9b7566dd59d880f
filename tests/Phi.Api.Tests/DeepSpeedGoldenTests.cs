using System.Text.Json;
using Phi.Api.DeepSpeed;
using Phi.Api.Manifests;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;

namespace Phi.Api.Tests;

/// <summary><c>Golden/DeepSpeed</c>: a manifest, its DeepSpeed configuration, and the notes to its user. PHI_UPDATE_GOLDEN=1 writes the latter two anew.</summary>
public sealed class DeepSpeedGoldenTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "tests", "Phi.Api.Tests", "Golden", "DeepSpeed");

    public static TheoryData<string> Manifests => [.. Directory.EnumerateFiles(Folder, "*.yaml").Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Manifests))]
    public void Render_Manifest_IsTheGoldenFile(string name)
    {
        var job = Assert.Single(ManifestReader.Read(File.ReadAllText(Path.Combine(Folder, name + ".yaml")))).Deserialize<TrainingJob>(PhiJson.Options)!;
        Assert.Empty(TrainingJobValidator.Validate(job));

        var rendered = DeepSpeedRenderer.Render(job);

        Same(name + ".json", rendered.ToText());
        Same(name + ".notes", string.Concat(rendered.Notes.Select(note => note + "\n")));
    }

    [Fact]
    public void Render_AJob_LeavesItAlone()
    {
        var job = new TrainingJob { Spec = new TrainingJobSpec { Container = new ContainerSpec { Image = "image" }, Zero = new ZeroSpec { QuantizedWeights = new QuantizedWeightsSpec() } } };

        Assert.Equal(DeepSpeedRenderer.Render(job).ToText(), DeepSpeedRenderer.Render(job).ToText());
        Assert.Null(job.Spec.Zero!.QuantizedWeights!.BlockSize);
    }

    private static void Same(string file, string text)
    {
        var path = Path.Combine(Folder, file);
        if (Environment.GetEnvironmentVariable("PHI_UPDATE_GOLDEN") == "1")
        {
            File.WriteAllText(path, text);
        }

        Assert.Equal(File.ReadAllText(path), text);
    }
}
