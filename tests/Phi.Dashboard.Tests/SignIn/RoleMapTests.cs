using System.Security.Claims;
using Phi.Dashboard.SignIn;

namespace Phi.Dashboard.Tests.SignIn;

public sealed class RoleMapTests
{
    [Theory]
    [InlineData("readers", Role.Viewer)]
    [InlineData("readers,researchers", Role.Operator)]
    [InlineData("platform,readers", Role.Admin)]
    [InlineData("sales", null)]
    [InlineData("Readers", null)]
    [InlineData("", null)]
    public void RoleOf_APersonsGroups_IsTheHighestThatTheyGive(string groups, string? role) =>
        Assert.Equal(role, new RoleMap(Options(["readers"])).RoleOf(Person(groups)));

    [Fact]
    public void RoleOf_WhoeverSignsIn_IsAViewerIfThatIsSaid() => Assert.Equal(Role.Viewer, new RoleMap(Options(["*"])).RoleOf(Person("")));

    [Fact]
    public void RoleOf_TheStarAsAGroup_GivesNothing() => Assert.Null(new RoleMap(Options(["readers"])).RoleOf(Person("*")));

    [Fact]
    public void Person_WithARole_HasTheRolesBeforeIt()
    {
        var person = Role.Person("oscar", Role.Operator, "test");

        Assert.True(person.IsInRole(Role.Viewer) && person.IsInRole(Role.Operator) && !person.IsInRole(Role.Admin));
        Assert.Equal(Role.Operator, Role.Of(person));
    }

    private static OidcOptions Options(string[] viewers) => new() { Authority = new Uri("https://id.example"), ClientId = "phi", Viewers = viewers, Operators = ["researchers"], Admins = ["platform"] };

    private static ClaimsPrincipal Person(string groups) => new(new ClaimsIdentity([new Claim("sub", "1"), .. groups.Split(',').Select(group => new Claim("groups", group))], "test"));
}
