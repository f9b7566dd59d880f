using System.Text.Json.Nodes;
using CsCheck;
using Phi.LocalCluster.ApiServer.Authentication;
using Phi.LocalCluster.ApiServer.Authorization;
using Xunit;

namespace Phi.LocalCluster.Tests;

/// <summary>What must hold of every pair of rules, so that nobody can grant more than they have.</summary>
public sealed class PolicyRulesTests
{
    private static readonly UserInfo User = new("ann", []);
    private static readonly Gen<string> Words = OneOf("x", "y", "*");
    private static readonly Gen<JsonNode> Rules = Gen.Select(Words.List[1, 2], Words.List[1, 2], OneOf("p", "p/s", "q/s", "*/s", "*").List[1, 2], OneOf("n", "m").List[0, 2], (verbs, groups, resources, names) => (JsonNode)Rule(verbs, groups, resources, names));

    private static readonly AccessAttributes[] Requests =
    [
        .. from verb in new[] { "x", "y", "z" }
           from @group in new[] { "x", "y", "z" }
           from resource in new[] { "p", "q", "r" }
           from subresource in new[] { "", "s", "t" }
           from name in new[] { "", "n", "m", "o" }
           select new AccessAttributes(User, verb) { Group = @group, Resource = resource, Subresource = subresource, Name = name },
    ];

    [Fact]
    public void Missing_OfNothing_MeansThatTheOwnerMayAllThatIsGranted() => Gen.Select(Rules.List[0, 3], Rules.List[1, 2]).Sample((owner, granted) =>
        PolicyRules.Missing(owner, granted).Count > 0 || Requests.Where(request => granted.Exists(rule => PolicyRules.Allows(rule, request))).All(request => owner.Exists(rule => PolicyRules.Allows(rule, request))));

    [Fact]
    public void Missing_OfWhatTheOwnerHas_IsNothing() => Rules.List[1, 3].Sample(rules => PolicyRules.Missing(rules, rules).Count == 0);

    [Fact]
    public void Missing_AddedToTheOwner_CompletesIt() => Gen.Select(Rules.List[0, 3], Rules.List[1, 2]).Sample((owner, granted) =>
        PolicyRules.Missing([.. owner, .. PolicyRules.Missing(owner, granted)], granted).Count == 0);

    private static JsonObject Rule(List<string> verbs, List<string> groups, List<string> resources, List<string> names) => new JsonObject
    {
        ["verbs"] = Strings(verbs),
        ["apiGroups"] = Strings(groups),
        ["resources"] = Strings(resources),
        ["resourceNames"] = Strings(names),
    };

    private static Gen<string> OneOf(params string[] values) => Gen.Int[0, values.Length - 1].Select(index => values[index]);

    private static JsonArray Strings(List<string> values) => new([.. values.Select(value => (JsonNode?)value)]);
}
