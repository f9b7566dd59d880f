using System.CommandLine;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Phi.Api.TrainingJobs;
using Phi.Benchmarks.Benches;
using Phi.Benchmarks.Reports;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.HuggingFace;
using Phi.Training.Kernels;
using Phi.Training.Model;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace Phi.Benchmarks.Gpu;

/// <summary>Our forward pass on the GPU against transformers' PhiForCausalLM on the same weights, which pass through an exported folder; fp32.</summary>
internal sealed class GpuLogitsBench : IBench
{
    private const int Tokens = 512;
    private const double Margin = 1e-4;
    private readonly Option<string> _preset = PresetOption.Create();
    private string _name = PresetOption.Default;

    public string Name => "gpu-logits";

    public string Description => "logits on one GPU against transformers' PhiForCausalLM on the same weights (python3 with torch and transformers)";

    public IReadOnlyList<Option> Options => [_preset];

    public void Configure(ParseResult parsed) => _name = parsed.GetValue(_preset)!;

    public async Task<IReadOnlyList<Metric>> RunAsync()
    {
        using var device = GpuMachine.Open();
        using var weights = new SeededWeights(PresetOption.Model(_name), seed: 7);
        var tokens = Enumerable.Range(0, Math.Min(Tokens, weights.Model.SequenceLength)).Select(i => CounterRandom.Below(7, 1, (ulong)i, weights.Model.VocabularySize)).ToArray();
        var folder = Directory.CreateTempSubdirectory("phi-bench-logits-").FullName;
        try
        {
            var (model, input, output) = (Path.Combine(folder, "model"), Path.Combine(folder, "tokens"), Path.Combine(folder, "logits"));
            HuggingFaceExport.Write(weights, 0, model, WeightType.F32, HuggingFaceExport.DefaultShardBytes, null, CancellationToken.None);
            await File.WriteAllBytesAsync(input, MemoryMarshal.AsBytes<long>(tokens).ToArray());
            var theirs = await PythonScript.RunAsync("logits.py", [model, input, output]);
            device.EnterThread();
            return Compare(Logits(weights, tokens, device.Torch), MemoryMarshal.Cast<byte, float>(await File.ReadAllBytesAsync(output)), theirs.GetProperty("library").GetString()!);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private Metric[] Compare(float[] ours, ReadOnlySpan<float> theirs, string library)
    {
        var difference = new float[ours.Length];
        TensorPrimitives.Subtract(ours, theirs, difference);
        var largest = TensorPrimitives.MaxMagnitude(theirs);
        return
        [
            new Metric($"{_name}: largest logit of {library}", Math.Abs(largest), ""),
            Metric.AtMost($"{_name}: largest difference of a logit / largest logit", Math.Abs(TensorPrimitives.MaxMagnitude<float>(difference)) / Math.Abs(largest), "", Margin),
        ];
    }

    private static float[] Logits(SeededWeights weights, long[] tokens, Device device)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var forward = new PhiForward(weights.Model, device: device);
        var units = UnitLayout.Of(weights.Model);
        var x = forward.Embed(tensor(tokens, [1, tokens.Length], device: device), Load(units[0]));
        foreach (var layer in units.Skip(1).Take(weights.Model.Layers))
        {
            x = forward.Layer(x, Load(layer));
        }

        return forward.Head(x, Load(units[^1])).cpu().data<float>().ToArray();

        Tensor[] Load(UnitLayout unit) => [.. unit.Tensors.Select(layout =>
        {
            var values = new float[layout.Length];
            weights.Read(layout.Name, 0, values);
            return tensor(values, layout.Shape).to(device);
        })];
    }
}
