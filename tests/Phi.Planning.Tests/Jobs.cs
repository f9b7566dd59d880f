using Phi.Api.Manifests;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Checkpoints.Layout;
using Phi.Planning.Hardware;
using Phi.Planning.Shapes;

namespace Phi.Planning.Tests;

/// <summary>Jobs and machines that tests plan.</summary>
internal static class Jobs
{
    public static ModelConfiguration Phi1 { get; } = ModelConfiguration.Of(ModelPresets.Find("phi-1")!);

    public static JobShape Shape { get; } = new()
    {
        Model = Phi1, Ranks = 32, RanksPerNode = 8, GroupSize = 8, GlobalBatch = 256, MicroBatch = 8, ElementBytes = 2,
    };

    public static JobShape PlusPlus(JobShape job) => job with { WeightBlock = 256, SecondaryShards = true, Gradients = new GradientShape(8, 4, 256, ErrorFeedback: false) };

    public static Machine A100(double gigabitsPerSecond = 100) => new() { Accelerator = AcceleratorCatalog.Find("nvidia-a100-80gb")!, PerNode = 8, NetworkBandwidth = gigabitsPerSecond * 1e9 / 8 };

    public static TrainingJob Sample(string name)
    {
        var manifest = JobManifest.Parse(File.ReadAllText(Path.Combine(Repository.Root, "operators/samples", name)));
        return TrainingJobDefaults.Apply(new TrainingJob { Metadata = new ObjectMeta { Name = manifest.Name, Namespace = manifest.Namespace }, Spec = manifest.Spec() });
    }
}
