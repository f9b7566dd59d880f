namespace Phi.Telemetry.Audit;

/// <summary>What somebody did, or was refused, by way of the dashboard.</summary>
/// <param name="Actor">Who, by the name that sign-in gives.</param>
/// <param name="Role">The one by which it was allowed or refused.</param>
/// <param name="Action">A verb, such as <c>suspend</c>.</param>
/// <param name="Namespace">Of the object; empty if it is in none.</param>
/// <param name="Kind">Of the object, such as <c>TrainingJob</c>.</param>
/// <param name="Name">Of the object.</param>
/// <param name="Detail">Stored up to <see cref="MostDetail"/> characters; each of the others up to <see cref="MostText"/>.</param>
public sealed record AuditEntry(DateTimeOffset Time, string Actor, string Role, string Action, string Namespace, string Kind, string Name, string Outcome, string Detail)
{
    public const int MostDetail = 1000;
    public const int MostText = 256;
}
