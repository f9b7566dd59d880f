using System.Data.Common;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.Extensions.Logging;
using Phi.Checkpoints;
using Phi.Checkpoints.Stores;
using Phi.Dashboard.SignIn;
using Phi.Kubernetes;
using Phi.Telemetry.Audit;
using Phi.Telemetry.Store;

namespace Phi.Dashboard.Actions;

/// <summary>Every action of a person goes through here: their role is checked, and what they do is in the audit log before it is done.</summary>
internal sealed partial class ActionGate(AuthenticationStateProvider session, TelemetryStore store, TimeProvider time, ILogger<ActionGate> logger)
{
    private const string Allowed = "Allowed";
    private const string Refused = "Refused";
    private const string Failed = "Failed";

    /// <param name="detail">For the audit log.</param>
    /// <param name="work">Gets the person's name, and gives the words that tell what was done.</param>
    public async Task<ActionOutcome> TryAsync(PersonAction action, ActionTarget target, string detail, Func<string, Task<string>> work)
    {
        var person = (await session.GetAuthenticationStateAsync()).User;
        var role = SessionState.HasEnded(person, time.GetUtcNow()) ? null : Role.Of(person);
        var entry = new AuditEntry(time.GetUtcNow(), person.Identity?.Name ?? "nobody", role ?? "none", action.Name, target.Namespace, target.Kind, target.Name, Allowed, detail);
        if (role is null || !person.IsInRole(action.Role))
        {
            await TryWriteAsync(entry with { Outcome = Refused });
            return new ActionOutcome(false, role is null ? "Your session is over; sign in again." : $"You are {role} here; to {action.Name} takes {action.Role}.");
        }

        if (await TryWriteAsync(entry) is { } away)
        {
            return new ActionOutcome(false, $"Nothing was done: the audit log cannot be written ({away}). kubectl goes on working.");
        }

        try
        {
            return new ActionOutcome(true, await work(entry.Actor));
        }
        catch (Exception e) when (e is KubernetesApiException or HttpRequestException or CheckpointException or StorageException or IOException)
        {
            await TryWriteAsync(entry with { Time = time.GetUtcNow(), Outcome = Failed, Detail = e.Message });
            return new ActionOutcome(false, e.Message);
        }
    }

    /// <returns>Why it is not in the store; it is among the process' own logs either way.</returns>
    private async Task<string?> TryWriteAsync(AuditEntry entry)
    {
        LogAudit(logger, entry.Actor, entry.Role, entry.Outcome, entry.Action, entry.Kind, entry.Namespace, entry.Name, entry.Detail);
        try
        {
            await store.AuditAsync(entry, CancellationToken.None);
            return null;
        }
        catch (Exception e) when (e is DbException or IOException or TimeoutException)
        {
            return e.Message;
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "audit: {Actor} ({Role}): {Outcome}: {Action} {Kind} {Namespace}/{Name}: {Detail}")]
    private static partial void LogAudit(ILogger logger, string actor, string role, string outcome, string action, string kind, string @namespace, string name, string detail);
}
