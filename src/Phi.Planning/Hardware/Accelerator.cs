namespace Phi.Planning.Hardware;

/// <summary>What one rank computes on.</summary>
/// <param name="Name">The spec's accelerator.type that it was found by.</param>
/// <param name="PeakFlops">Dense operations a second in the 16-bit formats, as the vendor states them.</param>
/// <param name="MemoryBytes">Null: not known, and nothing is said of what fits.</param>
/// <param name="MemoryBandwidth">Bytes a second of its own memory.</param>
/// <param name="LinkBandwidth">Bytes a second that it sends to the others of its node while it receives as many.</param>
/// <param name="HostBandwidth">Bytes a second to its host's memory.</param>
/// <param name="Utilization">Share of the peak that the compute alone reaches, before anything is waited for.</param>
/// <param name="Source">Where the figures are from.</param>
public sealed record Accelerator(string Name, double PeakFlops, long? MemoryBytes, double MemoryBandwidth, double LinkBandwidth, double HostBandwidth, double Utilization, string Source);
