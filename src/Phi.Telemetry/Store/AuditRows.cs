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
            Actor = Text(entry.Actor, AuditEntry.MostText),
            Role = Text(entry.Role, AuditEntry.MostText),
            Action = Text(entry.Action, AuditEntry.MostText),
            Namespace = Text(entry.Namespace, AuditEntry.MostText),
            Kind = Text(entry.Kind, AuditEntry.MostText),
            Name = Text(entry.Name, AuditEntry.MostText),
            Outcome = Text(entry.Outcome, AuditEntry.MostText),
            Detail = Text(entry.Detail, AuditEntry.MostDetail),
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

    /// <summary>PostgreSQL takes neither a NUL nor half a surrogate pair.</summary>
    private static string Text(string text, int most)
    {
        var cut = text.Length <= most ? text : char.IsHighSurrogate(text[most - 1]) ? text[..(most - 1)] : text[..most];
        return cut.Replace('\0', '\uFFFD');
    }
}
