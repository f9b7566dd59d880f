namespace Phi.Collectives.Cuda;

/// <summary>Where a GPU is on its node, whatever ordinal a process gives it.</summary>
public readonly record struct PciAddress(int Domain, int Bus, int Device)
{
    /// <summary>Such as "0000:3b:00".</summary>
    public override string ToString() => $"{Domain:x4}:{Bus:x2}:{Device:x2}";
}
