using System.Globalization;
using Phi.Api.TrainingJobs;

namespace Phi.Api.Traffic;

/// <summary>A job's bytes per step against those of 16-bit ZeRO-3 (<see cref="ZeroTraffic"/>): across nodes, or within the node of a job that has one.</summary>
public sealed record ZeroSaving(bool IsAcrossNodes, double Bytes, double BaselineBytes)
{
    /// <summary>How many times fewer bytes; below 1 they are more.</summary>
    public double Factor => BaselineBytes / Bytes;

    /// <param name="spec">With defaults.</param>
    /// <param name="withinNodes">Bytes per step that the job's ranks sent within nodes.</param>
    /// <param name="acrossNodes">Bytes per step that they sent across nodes.</param>
    /// <returns>Null where there is nothing to compare: no traffic, one rank, a stage below 3, another trainer than the built-in one, or a vocabulary whose size is the tokenizer's.</returns>
    public static ZeroSaving? Of(TrainingJobSpec spec, double withinNodes, double acrossNodes)
    {
        var isAcross = spec.Replicas > 1;
        var bytes = isAcross ? acrossNodes : withinNodes;
        return ZeroTraffic.SixteenBit(spec) is { } baseline && bytes > 0 && (isAcross ? baseline.AcrossNodes : baseline.WithinNodes) is > 0 and var moved
            ? new ZeroSaving(isAcross, bytes, moved)
            : null;
    }

    /// <summary>Names of the techniques of ZeRO++ that are on, with their settings.</summary>
    /// <param name="zero">With defaults.</param>
    public static IReadOnlyList<string> Techniques(ZeroSpec zero)
    {
        var on = new List<string>();
        if (zero.QuantizedWeights is { Enabled: true } weights)
        {
            on.Add(string.Create(CultureInfo.InvariantCulture, $"qwZ (INT{weights.Bits})"));
        }

        if (zero.HierarchicalPartitioning is { Enabled: true })
        {
            on.Add("hpZ");
        }

        if (zero.QuantizedGradients is { Enabled: true } gradients)
        {
            on.Add(string.Create(CultureInfo.InvariantCulture, $"qgZ (INT{gradients.IntraBits} within nodes, INT{gradients.InterBits} across{(gradients.ErrorFeedback == true ? ", error feedback" : "")})"));
        }

        return on;
    }

    public override string ToString()
    {
        var where = IsAcrossNodes ? "across nodes" : "within the node";
        return Factor switch
        {
            >= 1.05 => string.Create(CultureInfo.InvariantCulture, $"{Factor:0.0}× fewer bytes {where} than 16-bit ZeRO-3"),
            <= 0.95 => string.Create(CultureInfo.InvariantCulture, $"{1 / Factor:0.0}× more bytes {where} than 16-bit ZeRO-3"),
            _ => $"as many bytes {where} as 16-bit ZeRO-3",
        };
    }
}
