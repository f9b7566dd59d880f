using Phi.Benchmarks;
using Phi.Benchmarks.Benches;
using Phi.Benchmarks.Benches.ColdStart;
using Phi.Benchmarks.Benches.ControlPlane;
using Phi.Benchmarks.Benches.Telemetry;
using Phi.Benchmarks.Gpu;

IBench[] benches =
[
    new QuantizeBench(), new CollectivesBench(), new ZeroBench(), new LabBench(), new QualityBench(), new ControlPlaneBench(), new ChaosBench(), new CheckpointsBench(), new TelemetryBench(), new ColdStartBench(), new GenerateBench(),
    new GpuQuantizeBench(), new GpuNcclBench(), new GpuLogitsBench(), new GpuTrainBench(), new GpuRanksBench(),
];
return await new BenchCommand(benches, Console.Out, Console.Error).RunAsync(args);
