using Phi.Benchmarks;
using Phi.Benchmarks.Benches;

IBench[] benches =
[
    new QuantizeBench(), new CollectivesBench(), new ZeroBench(), new LabBench(), new QualityBench(), new GpuQuantizeBench(), new GpuNcclBench(),
];
return await new BenchCommand(benches, Console.Out, Console.Error).RunAsync(args);
