using Phi.Collectives;
using Phi.Trainer.Ranks;

namespace Phi.Trainer.Tests;

/// <summary>What a rank computes on. The trainer that is tested computes on the CPU, whatever the machine has.</summary>
[Collection("torch")]
public sealed class RankAcceleratorTests
{
    [Fact]
    public async Task Open_Cpu_NeedsNoDevice()
    {
        await using var host = InProcessGroup.Create(1)[0];
        await using var accelerator = await RankAccelerator.OpenAsync("cpu", 0, RankStarts.Of(0, 1), "/nowhere", host, TestContext.Current.CancellationToken);

        Assert.Null(accelerator.Device);
    }

    [Fact]
    public async Task Open_GpuThatIsNotThere_NamesFieldValueAndCause()
    {
        await using var host = InProcessGroup.Create(1)[0];
        var folder = Directory.CreateTempSubdirectory("phi-kernels-");

        var error = await Assert.ThrowsAsync<ArgumentException>(async () => await RankAccelerator.OpenAsync("nvidia-a100-80gb", 0, RankStarts.Of(0, 1), folder.FullName, host, TestContext.Current.CancellationToken));

        Assert.StartsWith("spec.accelerator.type 'nvidia-a100-80gb' ", error.Message, StringComparison.Ordinal);
        Assert.True(error.Message.Contains("libcuda.so.1", StringComparison.Ordinal) || error.Message.Contains("TorchBackend=cuda", StringComparison.Ordinal), error.Message);
        folder.Delete(recursive: true);
    }
}
