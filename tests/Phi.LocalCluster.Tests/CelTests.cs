using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Schemas;
using Phi.LocalCluster.ApiServer.Schemas.Cel;
using Xunit;

namespace Phi.LocalCluster.Tests;

/// <summary>CEL as Kubernetes' validation rules use it.</summary>
public sealed class CelTests
{
    [Theory]
    [InlineData("self.a + 2 * 3 == 7", true)]
    [InlineData("self.a < 1.5", true)]
    [InlineData("has(self.missing)", false)]
    [InlineData("!has(self.missing) || self.missing > 3", true)]
    [InlineData("self.missing > 3 || self.a == 1", true)]
    [InlineData("self.name.matches('^[a-z]+$') && size(self.name) == 4", true)]
    [InlineData("self.name.startsWith('no') ? self.a == 1 : false", true)]
    [InlineData("self.list.all(x, x > 0) && self.list.exists(x, x == 3)", true)]
    [InlineData("self.list.filter(x, x > 1).map(x, x * 2) == [4, 6]", true)]
    [InlineData("self.list.exists_one(x, x == 2)", true)]
    [InlineData("2 in self.list && !('q' in self.map)", true)]
    [InlineData("self.map.all(key, self.map[key] == 'v')", true)]
    [InlineData("[has(self.a), has(self.b)].filter(x, x).size() == 1", true)]
    [InlineData("self.list[0] == 1 && self.list.sum() == 6 && self.list.max() == 3", true)]
    [InlineData("duration('1h30m') > duration('89m')", true)]
    [InlineData("type(self.a) == int && string(self.a) + 'x' == '1x'", true)]
    [InlineData("-self.a == -1 && 7 % 3 == 1 && 7 / 2 == 3", true)]
    [InlineData("r'\\d' == '\\\\d'", true)]
    public void Rule_OnAnObject_HasTheValueThatTheSpecGives(string rule, bool expected)
    {
        var self = JsonNode.Parse("""{"a": 1, "name": "node", "list": [1, 2, 3], "map": {"k": "v"}}""")!;

        var problem = CelRule.Parse(new JsonObject { ["rule"] = rule, ["message"] = "no" }, "").Check(self, null, Schema.Any);

        Assert.Equal(expected ? null : "no", problem);
    }

    [Theory]
    [InlineData("self.missing == 1", "rule evaluation error: no such key: missing")]
    [InlineData("self.a == 1 / 0", "rule evaluation error: division by zero")]
    [InlineData("self.name > 3", "rule evaluation error: no such overload: string < int")]
    public void Rule_WithoutAValue_SaysWhy(string rule, string expected)
    {
        var self = JsonNode.Parse("""{"a": 1, "name": "node"}""")!;

        Assert.Equal(expected, CelRule.Parse(new JsonObject { ["rule"] = rule }, "").Check(self, null, Schema.Any));
    }

    [Theory]
    [InlineData("self.a ==")]
    [InlineData("self.a = 1")]
    [InlineData("(self.a")]
    [InlineData("self.list.all(x)")]
    public void Parse_OfWhatIsNoExpression_NamesTheRule(string rule)
    {
        var error = Assert.Throws<FormatException>(() => CelRule.Parse(new JsonObject { ["rule"] = rule }, ".spec"));

        Assert.Contains(rule, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rule_OnTheOldValue_WaitsForOne()
    {
        var rule = CelRule.Parse(new JsonObject { ["rule"] = "self == oldSelf", ["messageExpression"] = "'was ' + string(oldSelf)" }, "");

        Assert.Null(rule.Check(JsonValue.Create(2), null, Schema.Any));
        Assert.Equal("was 1", rule.Check(JsonNode.Parse("2")!, JsonNode.Parse("1"), Schema.Any));
    }
}
