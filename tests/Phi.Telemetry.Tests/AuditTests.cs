using Phi.Telemetry.Audit;

namespace Phi.Telemetry.Tests;

public sealed class SqliteAuditTests() : AuditTests(new SqliteDatabase());

public sealed class PostgresAuditTests(PostgresFixture fixture) : AuditTests(new PostgresDatabase(fixture));

/// <summary>The audit log, written and read.</summary>
public abstract class AuditTests(ITestDatabase database) : StoreTests(database)
{
    private static readonly AuditEntry Suspended = new(DateTimeOffset.UnixEpoch.AddSeconds(5), "ada@example.org", "operator", "suspend", "default", "TrainingJob", "job-a", "Done", "");

    [Fact]
    public async Task Audits_Read_AreNewestFirstAndNoMoreThanWanted()
    {
        await WriteAsync(Suspended, Suspended with { Action = "resume" }, Suspended with { Action = "delete", Outcome = "Refused", Detail = "a viewer deletes nothing" });

        var audits = await Store.AuditsAsync(null, null, 2, Ct);

        Assert.Equal(["delete", "resume"], audits.Select(entry => entry.Action));
        Assert.Equal(Suspended with { Action = "delete", Outcome = "Refused", Detail = "a viewer deletes nothing" }, audits[0]);
    }

    [Fact]
    public async Task Audits_OfAnObject_AreItsOwn()
    {
        var queue = Suspended with { Namespace = "", Kind = "TrainingQueue", Name = "gpus" };
        await WriteAsync(Suspended, Suspended with { Name = "job-b" }, Suspended with { Namespace = "other" }, queue);

        Assert.Equal(Suspended, Assert.Single(await Store.AuditsAsync("default", "job-a", 10, Ct)));
        Assert.Equal(["job-b", "job-a"], (await Store.AuditsAsync("default", null, 10, Ct)).Select(entry => entry.Name));
        Assert.Equal(["other", "default"], (await Store.AuditsAsync(null, "job-a", 10, Ct)).Select(entry => entry.Namespace));
        Assert.Equal(queue, Assert.Single(await Store.AuditsAsync("", null, 10, Ct)));
    }

    [Fact]
    public async Task Audit_OfTextThatTheDatabaseCannotTake_IsCutAndCleaned()
    {
        var face = char.ConvertFromUtf32(0x1F600);
        await WriteAsync(Suspended with { Actor = new string('a', 300), Detail = "\0" + new string('d', 998) + face });

        var entry = Assert.Single(await Store.AuditsAsync(null, null, 10, Ct));

        Assert.Equal(new string('a', 256), entry.Actor);
        Assert.Equal("\uFFFD" + new string('d', 998), entry.Detail);
    }

    private async Task WriteAsync(params AuditEntry[] entries)
    {
        foreach (var entry in entries)
        {
            await Store.AuditAsync(entry, Ct);
        }
    }
}
