using System.Security.Claims;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.Extensions.Logging.Abstractions;
using Phi.Dashboard.Actions;
using Phi.Dashboard.SignIn;
using Phi.Kubernetes;
using Phi.Telemetry.Store;

namespace Phi.Dashboard.Tests.Actions;

public sealed class ActionGateTests : IAsyncLifetime
{
    private static readonly ActionTarget Target = new("TrainingJob", "default", "train");
    private readonly string _folder = Directory.CreateTempSubdirectory("phi gate ").FullName;
    private TelemetryStore _store = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _store = await TelemetryStore.OpenAsync(Path.Combine(_folder, "telemetry.db"), TimeProvider.System, Ct);

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Try_ByARoleThatMay_IsDoneAndInTheAuditLogBefore()
    {
        var logged = 0;

        var outcome = await Gate(Role.Operator).TryAsync(PersonAction.Suspend, Target, "why", async who =>
        {
            logged = (await _store.AuditsAsync(null, null, 10, Ct)).Count;
            return $"by {who}";
        });

        Assert.Equal(new ActionOutcome(true, "by ada"), outcome);
        Assert.Equal(1, logged);
        var entry = Assert.Single(await _store.AuditsAsync("default", "train", 10, Ct));
        Assert.Equal(("ada", "operator", "suspend", "TrainingJob", "Allowed", "why"), (entry.Actor, entry.Role, entry.Action, entry.Kind, entry.Outcome, entry.Detail));
    }

    [Fact]
    public async Task Try_ByARoleThatMayNot_IsRefusedAndInTheAuditLog()
    {
        var outcome = await Gate(Role.Operator).TryAsync(PersonAction.Delete, Target, "", Never);

        Assert.Equal(new ActionOutcome(false, "You are operator here; to delete takes admin."), outcome);
        Assert.Equal("Refused", Assert.Single(await _store.AuditsAsync(null, null, 10, Ct)).Outcome);
    }

    [Fact]
    public async Task Try_AfterTheSessionsEnd_IsRefused()
    {
        var person = SessionState.Until(TimeProvider.System.GetUtcNow(), Role.Person("ada", Role.Admin, "test"));

        var outcome = await Gate(person).TryAsync(PersonAction.Delete, Target, "", Never);

        Assert.Equal(new ActionOutcome(false, "Your session is over; sign in again."), outcome);
    }

    [Fact]
    public async Task Try_BySomebodyWhoDidNotSignIn_IsRefused() =>
        Assert.False((await Gate(new ClaimsPrincipal(new ClaimsIdentity())).TryAsync(PersonAction.Verify, Target, "", Never)).IsDone);

    [Fact]
    public async Task Try_WhatFails_SaysWhyAndIsInTheAuditLog()
    {
        var outcome = await Gate(Role.Admin).TryAsync(PersonAction.Delete, Target, "", _ => throw new KubernetesApiException(System.Net.HttpStatusCode.Forbidden, "Forbidden", "not yours"));

        Assert.Equal(new ActionOutcome(false, "not yours"), outcome);
        Assert.Equal(["Failed", "Allowed"], (await _store.AuditsAsync(null, null, 10, Ct)).Select(entry => entry.Outcome));
    }

    [Fact]
    public async Task Try_WhileTheAuditLogCannotBeWritten_DoesNothing()
    {
        await using (var database = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={Path.Combine(_folder, "telemetry.db")}"))
        {
            await database.OpenAsync(Ct);
            await using var drop = database.CreateCommand();
            drop.CommandText = "DROP TABLE audit";
            await drop.ExecuteNonQueryAsync(Ct);
        }

        var outcome = await Gate(Role.Admin).TryAsync(PersonAction.Delete, Target, "", Never);

        Assert.False(outcome.IsDone);
        Assert.StartsWith("Nothing was done: the audit log cannot be written (", outcome.Message, StringComparison.Ordinal);
    }

    private static Task<string> Never(string who)
    {
        Assert.Fail($"done for {who}");
        return Task.FromResult("");
    }

    private ActionGate Gate(string role) => Gate(Role.Person("ada", role, "test"));

    private ActionGate Gate(ClaimsPrincipal person) => new(new Session(person), _store, TimeProvider.System, NullLogger<ActionGate>.Instance);

    private sealed class Session(ClaimsPrincipal person) : AuthenticationStateProvider
    {
        public override Task<AuthenticationState> GetAuthenticationStateAsync() => Task.FromResult(new AuthenticationState(person));
    }
}
