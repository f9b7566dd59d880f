using Phi.Benchmarks;
using Phi.Benchmarks.Benches;

IBench[] benches = [new QuantizeBench(), new CollectivesBench(), new ZeroBench(), new LabBench(), new QualityBench()];
return await new BenchCommand(benches, Console.Out, Console.Error).RunAsync(args);
