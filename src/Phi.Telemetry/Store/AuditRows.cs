using System.Data.Common;
using System.Runtime.ExceptionServices;
using Microsoft.EntityFrameworkCore;
using Phi.Telemetry.Audit;
using Phi.Telemetry.Model;

namespace Phi.Telemetry.Store;

/// <summary>Writes and reads the audit log.</summary>
internal static class AuditRows
{
    public static async Task WriteAsync(TelemetryContext context, AuditEntry entry, CancellationToken ct)
    {
        context.Audits.Add(new AuditRow
        {
            Ts = entry.Time.ToUnixTimeMilliseconds(),
            Actor = StoredText.Of(entry.Actor, AuditEntry.MostText),
            Role = StoredText.Of(entry.Role, AuditEntry.MostText),
            Action = StoredText.Of(entry.Action, AuditEntry.MostText),
            Namespace = StoredText.Of(entry.Namespace, AuditEntry.MostText),
            Kind = StoredText.Of(entry.Kind, AuditEntry.MostText),
            Name = StoredText.Of(entry.Name, AuditEntry.MostText),
            Outcome = StoredText.Of(entry.Outcome, AuditEntry.MostText),
            Detail = StoredText.Of(entry.Detail, AuditEntry.MostDetail),
        });
        try
        {
            await context.SaveChangesAsync(ct);
        }
        catch (DbUpdateException e) when (e.InnerException is DbException cause)
        {
            // As every other call of the store fails.
            ExceptionDispatchInfo.Throw(cause);
        }
    }

    public static async Task<IReadOnlyList<AuditEntry>> ReadAsync(TelemetryContext context, string? @namespace, string? name, int most, CancellationToken ct)
    {
        var rows = await context.Audits.Where(row => (@namespace == null || row.Namespace == @namespace) && (name == null || row.Name == name))
            .OrderByDescending(row => row.Id).Take(most).AsNoTracking().ToListAsync(ct);
        return [.. rows.Select(row => new AuditEntry(DateTimeOffset.FromUnixTimeMilliseconds(row.Ts), row.Actor, row.Role, row.Action, row.Namespace, row.Kind, row.Name, row.Outcome, row.Detail))];
    }
}
