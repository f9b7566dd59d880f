namespace Phi.Checkpoints.Stores.Blobs;

/// <summary>Marks on blobs, and what the service marks itself.</summary>
internal static class BlobNames
{
    private const string Reservation = "phi_reservation";

    /// <summary>Accounts with a hierarchical namespace list their directories as blobs with this.</summary>
    private const string Directory = "hdi_isfolder";

    public static Dictionary<string, string> ReservationMark { get; } = new() { [Reservation] = "true" };

    public static bool IsReservation(IDictionary<string, string>? metadata) => Has(metadata, Reservation);

    public static bool IsDirectory(IDictionary<string, string>? metadata) => Has(metadata, Directory);

    private static bool Has(IDictionary<string, string>? metadata, string name) => metadata?.Any(entry => entry.Key.Equals(name, StringComparison.OrdinalIgnoreCase) && entry.Value.Equals("true", StringComparison.OrdinalIgnoreCase)) == true;
}
