using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Phi.Benchmarks.Benches;
using Phi.Benchmarks.Reports;
using Phi.Collectives;
using Phi.Training.Data;
using Phi.Training.Kernels;
using Phi.Training.Loop;
using Phi.Training.Optimizer;
using Phi.Training.Zero;

namespace Phi.Benchmarks.Gpu;

/// <summary>Tokens/s and MFU of the engine on one GPU, and of PyTorch eager on the same model, batch and precision (bf16 compute, fp32 master weights).</summary>
internal sealed class GpuTrainBench : IBench
{
    private const int Warmup = 3;
    private readonly Option<string> _preset = PresetOption.Create();
    private readonly Option<int> _micro = new("--micro") { Description = "Sequences per forward pass.", DefaultValueFactory = _ => 8 };
    private readonly Option<int> _passes = new("--passes") { Description = "Forward passes per step.", DefaultValueFactory = _ => 4 };
    private readonly Option<int> _steps = new("--steps") { Description = "Steps that are measured.", DefaultValueFactory = _ => 10 };
    private readonly Option<double?> _peak = new("--peak") { Description = "The card's dense bf16 TFLOP/s; default by its name." };
    private Settings _settings = new("phi-1", 8, 4, 10, null);

    public string Name => "gpu-train";

    public string Description => "tokens/s and MFU on one GPU against PyTorch eager (python3 with torch and transformers)";

    public IReadOnlyList<Option> Options => [_preset, _micro, _passes, _steps, _peak];

    public void Configure(ParseResult parsed) =>
        _settings = new Settings(parsed.GetValue(_preset)!, parsed.GetValue(_micro), parsed.GetValue(_passes), parsed.GetValue(_steps), parsed.GetValue(_peak));

    public async Task<IReadOnlyList<Metric>> RunAsync()
    {
        var model = PresetOption.Model(_settings.Preset);
        using (GpuMachine.Open())
        {
            // Says at once that there is none.
        }

        // First, for their process gives its memory back, and libtorch in ours keeps it.
        var theirs = (await PythonScript.RunAsync("train.py", [Describe(model)])).GetProperty("tokensPerSecond").GetDouble();
        var (ours, name) = Ours(model);
        var metrics = new List<Metric>
        {
            new($"{_settings.Preset}: ours, {name}", ours, "tokens/s"),
            new($"{_settings.Preset}: PyTorch eager", theirs, "tokens/s"),
            Metric.AtLeast($"{_settings.Preset}: ours / PyTorch eager", ours / theirs, "of its tokens/s", 1),
        };
        if ((_settings.Peak * 1e12 ?? GpuMachine.PeakBfloat16(name)) is { } peak)
        {
            metrics.Add(Metric.AtLeast($"{_settings.Preset}: MFU of ours", ours * OperationsPerToken(model) / peak, "of the card's bf16 peak", 0.5));
            metrics.Add(new Metric($"{_settings.Preset}: MFU of PyTorch eager", theirs * OperationsPerToken(model) / peak, "of the card's bf16 peak"));
        }

        return metrics;
    }

    /// <summary>Forward and backward pass: 6 for each parameter of a matrix product, and 12 · layers · hidden · sequence of attention (arXiv 2204.02311, appendix B).</summary>
    private static double OperationsPerToken(ModelConfiguration model)
    {
        var units = UnitLayout.Of(model);
        return 6.0 * units.Skip(1).Sum(unit => unit.Matrices) + 12.0 * model.Layers * model.HiddenSize * model.SequenceLength;
    }

    private (double TokensPerSecond, string Device) Ours(ModelConfiguration model)
    {
        using var device = GpuMachine.Open();
        var group = InProcessGroup.Create(1)[0];
        var configuration = new TrainingConfiguration
        {
            Model = model,
            GlobalBatch = _settings.Micro * _settings.Passes,
            MicroBatch = _settings.Micro,
            Schedule = new LinearSchedule(10, 1000),
            Optimizer = new AdamW { LearningRate = 1e-4f },
            Precision = ComputePrecision.Bf16,
        };
        var tokens = Enumerable.Range(0, 1 << 20).Select(i => (ushort)CounterRandom.Below(1, 0, (ulong)i, Math.Min(model.VocabularySize, ushort.MaxValue))).ToArray();
        using var loop = new TrainingLoop(configuration, group, new TokenDataset(tokens), new RankDevice(device, group));
        for (var i = 0; i < Warmup; i++)
        {
            loop.Step();
        }

        // A step returns when the device has its gradient's norm; the last update alone is still under way.
        var started = Stopwatch.GetTimestamp();
        var trained = 0L;
        for (var i = 0; i < _settings.Steps; i++)
        {
            trained += loop.Step().Tokens;
        }

        return (trained / Stopwatch.GetElapsedTime(started).TotalSeconds, device.Name);
    }

    private string Describe(ModelConfiguration model) => JsonSerializer.Serialize(new Dictionary<string, int>(model.ToDimensions())
    {
        ["micro"] = _settings.Micro, ["passes"] = _settings.Passes, ["steps"] = _settings.Steps, ["warmup"] = Warmup,
    });

    /// <param name="Peak">TFLOP/s.</param>
    private sealed record Settings(string Preset, int Micro, int Passes, int Steps, double? Peak);
}
