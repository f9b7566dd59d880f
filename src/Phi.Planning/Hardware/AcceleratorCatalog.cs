namespace Phi.Planning.Hardware;

/// <summary>
/// Accelerators by the names that nodes carry, such as nvidia-a100-80gb or nvidia-a100-sxm4-80gb. Figures are the vendors' data sheets';
/// the utilisation is what phi-1's published 770 A100-hours come to (arXiv 2306.11644), counted as <see cref="Shapes.ModelOperations"/> does.
/// </summary>
public static class AcceleratorCatalog
{
    private const long GiB = 1L << 30;
    private const double Published = 0.49;
    private const string DataSheet = "vendor's data sheet; utilisation as phi-1's published A100-hours";

    /// <summary>A server's core with AVX-512: 3.3 M parameters at 3,500 tokens a second.</summary>
    private static readonly Accelerator Core = new("cpu", 0.16e12, null, 8e9, 2e9, 8e9, 0.5, "one core as measured with phi-tiny; other cores differ by times");

    /// <summary>The first whose words are all in the name.</summary>
    private static readonly (string[] Words, Accelerator Accelerator)[] Known =
    [
        (["b200"], Gpu(2250e12, 180, 8e12, 900e9, 55e9)),
        (["gh200"], Gpu(989e12, 96, 4e12, 450e9, 300e9)),
        (["h200"], Gpu(989e12, 141, 4.8e12, 450e9, 55e9)),
        (["h100", "pcie"], Gpu(756e12, 80, 2e12, 55e9, 55e9)),
        (["h100"], Gpu(989e12, 80, 3.35e12, 450e9, 55e9)),
        (["h800"], Gpu(989e12, 80, 3.35e12, 200e9, 55e9)),
        (["a100", "pcie", "40gb"], Gpu(312e12, 40, 1.555e12, 25e9, 25e9)),
        (["a100", "pcie"], Gpu(312e12, 80, 1.935e12, 25e9, 25e9)),
        (["a100", "40gb"], Gpu(312e12, 40, 1.555e12, 300e9, 25e9)),
        (["a100"], Gpu(312e12, 80, 2.039e12, 300e9, 25e9)),
        (["a800"], Gpu(312e12, 80, 2.039e12, 200e9, 25e9)),
        (["a10g"], Gpu(70e12, 24, 0.6e12, 25e9, 25e9)),
        (["a10"], Gpu(125e12, 24, 0.6e12, 25e9, 25e9)),
        (["a40"], Gpu(150e12, 48, 0.696e12, 25e9, 25e9)),
        (["a30"], Gpu(165e12, 24, 0.933e12, 25e9, 25e9)),
        (["l40s"], Gpu(362e12, 48, 0.864e12, 25e9, 25e9)),
        (["l40"], Gpu(181e12, 48, 0.864e12, 25e9, 25e9)),
        (["l4"], Gpu(121e12, 24, 0.3e12, 25e9, 25e9)),
        (["v100", "16gb"], Gpu(125e12, 16, 0.9e12, 150e9, 12e9)),
        (["v100"], Gpu(125e12, 32, 0.9e12, 150e9, 12e9)),
        (["t4"], Gpu(65e12, 16, 0.3e12, 12e9, 12e9)),
        (["rtx", "4090"], Gpu(165e12, 24, 1.008e12, 25e9, 25e9)),
    ];

    /// <summary>Null for one that is not known: its figures must be given.</summary>
    /// <param name="type">spec.accelerator.type.</param>
    public static Accelerator? Find(string type)
    {
        if (type == "cpu")
        {
            return Core;
        }

        var words = type.ToLowerInvariant().Split(['-', '.', '_']);
        return Known.FirstOrDefault(known => known.Words.All(words.Contains)).Accelerator is { } found ? found with { Name = type } : null;
    }

    private static Accelerator Gpu(double flops, int gigabytes, double memory, double link, double host) => new("", flops, gigabytes * GiB, memory, link, host, Published, DataSheet);
}
