namespace Phi.Telemetry.Store;

/// <summary>How a value that is not finite is stored: as 0, with its kind beside it.</summary>
internal static class StoredValue
{
    public static short Kind(double value) => double.IsNaN(value) ? (short)1 : double.IsPositiveInfinity(value) ? (short)2 : double.IsNegativeInfinity(value) ? (short)3 : (short)0;

    public static double Read(double value, short kind) => kind switch
    {
        0 => value,
        1 => double.NaN,
        2 => double.PositiveInfinity,
        _ => double.NegativeInfinity,
    };
}
