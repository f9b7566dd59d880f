using System.CommandLine;
using System.CommandLine.Parsing;
using Phi.Api.TrainingJobs;
using Phi.Planning.Hardware;

namespace Phi.Cli.Planning;

/// <summary>The machine that is planned for: the accelerator's known figures, and what the command line says otherwise.</summary>
internal sealed class MachineOptions
{
    private const double Giga = 1e9;
    private const string Given = "given on the command line";
    private const double DefaultNetwork = 100;
    private readonly Option<string?> _accelerator = new("--accelerator") { Description = "Plan for this type instead of the manifest's, such as nvidia-h100-80gb." };
    private readonly Option<double?> _tflops = new("--tflops") { Description = "Peak of an accelerator in 16 bits, 10^12 operations a second. Default: its data sheet's." };
    private readonly Option<double?> _mfu = new("--mfu") { Description = "Share of the peak that the compute reaches, above 0 and at most 1. Default: 0.49 on GPUs, as phi-1 was published." };
    private readonly Option<double?> _memory = new("--memory") { Description = "GiB of an accelerator's memory. Default: its data sheet's." };
    private readonly Option<double?> _link = new("--link") { Description = "GB/s to and from an accelerator within its node. Default: its data sheet's." };
    private readonly Option<double> _network = new("--network") { Description = $"Gbit/s between nodes, of a whole node. Default {DefaultNetwork}.", DefaultValueFactory = _ => DefaultNetwork };
    private readonly Option<double> _latency = new("--latency") { Description = "Microseconds of a message between nodes. Default 10.", DefaultValueFactory = _ => 10 };
    private readonly Option<double> _store = new("--store") { Description = "GB/s that a node writes to the checkpoints' store. Default 1.25.", DefaultValueFactory = _ => 1.25 };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _accelerator, _tflops, _mfu, _memory, _link, _network, _latency, _store })
        {
            command.Add(option);
        }

        foreach (var option in new[] { _tflops, _memory, _link })
        {
            option.Validators.Add(result => Positive(result, result.GetValueOrDefault<double?>()));
        }

        foreach (var option in new[] { _network, _store })
        {
            option.Validators.Add(result => Positive(result, result.GetValueOrDefault<double>()));
        }

        _mfu.Validators.Add(result => Check(result, result.GetValueOrDefault<double?>() is null or (> 0 and <= 1), "must be above 0 and at most 1"));
        _latency.Validators.Add(result => Check(result, result.GetValueOrDefault<double>() is >= 0 and <= 1e6, "must be from 0 to 1000000"));
    }

    /// <summary>Null where nothing is known of the accelerator.</summary>
    public Machine? Of(ParseResult parse, AcceleratorSpec spec)
    {
        var type = parse.GetValue(_accelerator) ?? spec.Type!;
        var (tflops, memory, link, mfu) = (parse.GetValue(_tflops), parse.GetValue(_memory), parse.GetValue(_link), parse.GetValue(_mfu));
        if (AcceleratorCatalog.Find(type) is not { } found)
        {
            if (parse.GetValue(_accelerator) is not null && tflops is null)
            {
                throw new CliException($"--accelerator {type}: no figures of it are known; give --tflops and --memory too", ExitCodes.Usage);
            }

            found = new Accelerator(type, 0, null, 1e12, 25e9, 25e9, 0.49, Given);
        }

        var accelerator = found with
        {
            PeakFlops = tflops * 1e12 ?? found.PeakFlops,
            MemoryBytes = memory is { } gib ? (long)(gib * (1L << 30)) : found.MemoryBytes,
            LinkBandwidth = link * Giga ?? found.LinkBandwidth,
            Utilization = mfu ?? found.Utilization,
            Source = tflops is not null || mfu is not null ? Given : found.Source,
        };
        return accelerator.PeakFlops == 0 ? null : new Machine
        {
            Accelerator = accelerator, PerNode = spec.PerReplica!.Value, NetworkBandwidth = parse.GetValue(_network) * Giga / 8,
            NetworkLatency = parse.GetValue(_latency) * 1e-6, StoreBandwidth = parse.GetValue(_store) * Giga,
        };
    }

    private static void Positive(OptionResult result, double? value) => Check(result, value is null or (> 0 and <= 1e9), "must be above 0");

    private static void Check(OptionResult result, bool isGood, string rule)
    {
        if (!isGood)
        {
            result.AddError($"{result.Option.Name} {string.Join(' ', result.Tokens.Select(token => token.Value))} {rule}");
        }
    }
}
