using Phi.Api.Metadata;
using Phi.Trainer.Agent;
using Xunit;

namespace Phi.Trainer.Tests;

/// <summary>What an agent needs of its environment.</summary>
public sealed class AgentSettingsTests
{
    private static readonly Dictionary<string, string?> Good = new()
    {
        [PhiEnvironment.OperatorUrl] = "http://127.0.0.1:1",
        [PhiEnvironment.AgentTokenFile] = "/t",
        [PhiEnvironment.OperatorAuthorityFile] = "/ca",
        [PhiEnvironment.Namespace] = "default",
        [PhiEnvironment.JobName] = "job",
        [PhiEnvironment.JobUid] = "uid",
        [PhiEnvironment.ReplicaIndex] = "1",
        [PhiEnvironment.PodName] = "job-1",
        [PhiEnvironment.PodUid] = "pod",
        [PhiEnvironment.PodIp] = "127.0.0.2",
    };

    [Fact]
    public void Read_OfAPodsEnvironment_HasTheReplica() => Assert.Equal(1, AgentSettings.Read(Good.GetValueOrDefault).Request.ReplicaIndex);

    [Theory]
    [InlineData(null, null)]
    [InlineData("45", 45.0)]
    public void Read_GraceOfThePod_IsTheTimeToLeave(string? given, double? seconds)
    {
        var pod = new Dictionary<string, string?>(Good) { [PhiEnvironment.GraceSeconds] = given };

        Assert.Equal(seconds, AgentSettings.Read(pod.GetValueOrDefault).GracePeriod?.TotalSeconds);
    }

    [Fact]
    public void Read_EventFolder_IsTheGivenOneOrATemporaryOne()
    {
        var pod = new Dictionary<string, string?>(Good) { [PhiEnvironment.EventFolder] = "/var/lib/phi/events" };

        Assert.Equal("/var/lib/phi/events", AgentSettings.Read(pod.GetValueOrDefault).EventFolder);
        Assert.StartsWith(Path.GetTempPath(), AgentSettings.Read(Good.GetValueOrDefault).EventFolder, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_WithoutVariables_NamesEveryOne()
    {
        var error = Assert.Throws<ArgumentException>(() => AgentSettings.Read(_ => null));

        Assert.All(Good.Keys, name => Assert.Contains($"{name} is not set", error.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Read_WrongValues_AreNamed()
    {
        var wrong = new Dictionary<string, string?>(Good) { [PhiEnvironment.ReplicaIndex] = "one", [PhiEnvironment.OperatorUrl] = "nowhere", [PhiEnvironment.GraceSeconds] = "1m" };

        var error = Assert.Throws<ArgumentException>(() => AgentSettings.Read(wrong.GetValueOrDefault));

        Assert.Contains("PHI_REPLICA_INDEX is 'one'", error.Message, StringComparison.Ordinal);
        Assert.Contains("PHI_GRACE_SECONDS is '1m'", error.Message, StringComparison.Ordinal);
        Assert.Contains("PHI_OPERATOR_URL is 'nowhere'", error.Message, StringComparison.Ordinal);
    }
}
