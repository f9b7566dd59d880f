using System.Net;

namespace Phi.Operator.Tests;

/// <summary>Who a replica is and where it says it is.</summary>
public sealed class OperatorIdentityTests
{
    [Fact]
    public void Resolve_WithNothingGiven_IsOnThisMachineUnderAnInventedName()
    {
        var (first, second) = (OperatorIdentity.Resolve(Options(), 8090), OperatorIdentity.Resolve(Options(), 8090));

        Assert.Equal(("https://127.0.0.1:8090", "https://127.0.0.1:8090", "kube-system"), (first.AgentUrl, first.PeerUrl, first.Namespace));
        Assert.NotEqual(first.Name, second.Name);
        Assert.Matches("^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])$", first.Name);
    }

    [Fact]
    public void Resolve_WithAServiceInFront_SendsPodsThereAndReplicasToItself()
    {
        var identity = OperatorIdentity.Resolve(Options(agentUrl: "https://phi-operator.phi-system:8090/", peerUrl: "https://10.0.0.7:8090"), 8090);

        Assert.Equal(("https://phi-operator.phi-system:8090", "https://10.0.0.7:8090"), (identity.AgentUrl, identity.PeerUrl));
    }

    [Theory]
    [InlineData("Upper")]
    [InlineData("-dash")]
    [InlineData("a.b")]
    [InlineData("far-too-long-for-the-name-of-any-lease-of-a-replica")]
    public void Resolve_WithANameThatNoLeaseMayHave_NamesTheRule(string name)
    {
        var refused = Assert.Throws<OperatorOptionException>(() => OperatorIdentity.Resolve(Options(name), 8090));

        Assert.Equal($"--identity is '{name}'; it must be at most 40 lowercase letters, digits and '-', the first and the last no '-'", refused.Message);
    }

    [Theory]
    [InlineData("--agent-url", "http://operator:8090", null)]
    [InlineData("--peer-url", null, "http://operator:8090")]
    public void Resolve_WithAUrlOfPlainHttp_NamesTheRemedy(string option, string? agentUrl, string? peerUrl)
    {
        var refused = Assert.Throws<OperatorOptionException>(() => OperatorIdentity.Resolve(Options(agentUrl: agentUrl, peerUrl: peerUrl), 8090));

        Assert.Equal($"{option} is 'http://operator:8090/'; the agent API speaks HTTPS alone: write https://operator:8090", refused.Message);
    }

    [Fact]
    public void Hosts_OfAReplicaBehindAService_AreBothAndTheMachinesOwn() =>
        Assert.Equal(["phi-operator.phi-system", "10.0.0.7", "127.0.0.1", "localhost"], OperatorIdentity.Resolve(Options(agentUrl: "https://phi-operator.phi-system:8090", peerUrl: "https://10.0.0.7:8090"), 8090).Hosts());

    private static OperatorOptions Options(string? name = null, string? agentUrl = null, string? peerUrl = null) => new()
    {
        Kubeconfig = "unused",
        StateDirectory = "unused",
        TelemetryDatabase = "unused",
        BindAddress = IPAddress.Loopback,
        Identity = name,
        AgentUrl = agentUrl is null ? null : new Uri(agentUrl),
        PeerUrl = peerUrl is null ? null : new Uri(peerUrl),
    };
}
