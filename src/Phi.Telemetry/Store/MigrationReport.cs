namespace Phi.Telemetry.Store;

/// <summary>What a migration did to a database.</summary>
/// <param name="Target">Id of the migration that the schema is at now, unless <paramref name="Unknown"/> says otherwise.</param>
/// <param name="Applied">Ids, in order.</param>
/// <param name="Undone">Ids, in order.</param>
/// <param name="Unknown">Ids that a newer version of this product has applied.</param>
public sealed record MigrationReport(string Target, IReadOnlyList<string> Applied, IReadOnlyList<string> Undone, IReadOnlyList<string> Unknown);
