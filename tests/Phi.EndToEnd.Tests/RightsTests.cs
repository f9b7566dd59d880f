using System.Text.Json.Nodes;
using Phi.Api.Manifests;

namespace Phi.EndToEnd.Tests;

/// <summary>
/// The whole suite runs with operator and dashboard as service accounts that may do what charts/phi-orchestrator/files/rbac says. Afterwards this
/// looks at what they asked for: nothing was refused, and nothing is granted that was not asked for.
/// </summary>
[Collection(RightsLast.Collection)]
public sealed class RightsTests
{
    /// <summary>Fewer, and parts of the suite did not run.</summary>
    private const int ClustersOfTheSuite = 12;

    /// <summary>
    /// Needed by no request of its own: with the admission plugin OwnerReferencesPermissionEnforcement, to own what blocks a job's deletion.
    /// </summary>
    private static readonly string[] OfAdmission = ["operator may update trainingjobs/finalizers"];

    [Fact]
    public void Suite_WithTheGrantedRights_IsRefusedNothing()
    {
        Assert.SkipWhen(PhiCluster.IsJoined && RightsUsed.Clusters == 0, "needs the API server's audit log; name it in PHI_E2E_AUDIT_LOG");

        Assert.Empty(RightsUsed.Refused);
    }

    [Theory]
    [InlineData("operator")]
    [InlineData("dashboard")]
    public void Suite_NeedsEveryGrantedRight(string part)
    {
        Assert.SkipWhen(PhiCluster.IsJoined, PhiCluster.NeedsOwnControlPlane);
        Assert.SkipWhen(RightsUsed.Clusters < ClustersOfTheSuite, "looks at what the rest of the suite asked for, which did not run");
        var rules = ManifestReader.Read(File.ReadAllText(Path.Combine(Repository.Root, "charts", "phi-orchestrator", "files", "rbac", part + ".yaml")))[0];
        var used = RightsUsed.Of(part);

        var granted =
            from rule in rules.SelectMany(section => section.Value!.AsArray())
            from @group in Texts(rule!["apiGroups"])
            from resource in Texts(rule["resources"])
            from verb in Texts(rule["verbs"])
            from name in rule["resourceNames"] is { } names ? Texts(names) : [""]
            where !used.Any(right => right.Group == @group && right.Resource == resource && right.Verb == verb && (name.Length == 0 || right.Name == name))
            select $"{part} may {verb} {resource}{(name.Length == 0 ? "" : " " + name)}";

        Assert.Empty(granted.Except(OfAdmission));
    }

    private static IEnumerable<string> Texts(JsonNode? list) => (list as JsonArray ?? []).Select(text => (string)text!);
}
