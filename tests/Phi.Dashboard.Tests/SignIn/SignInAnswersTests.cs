using Phi.Dashboard.SignIn;

namespace Phi.Dashboard.Tests.SignIn;

public sealed class SignInAnswersTests
{
    [Theory]
    [InlineData("/jobs/default/train?view=table", "/jobs/default/train?view=table")]
    [InlineData(null, "/")]
    [InlineData("", "/")]
    [InlineData("https://elsewhere.example", "/")]
    [InlineData("//elsewhere.example", "/")]
    [InlineData("/\\elsewhere.example", "/")]
    [InlineData("/jobs\r\nLocation: https://elsewhere.example", "/")]
    [InlineData("javascript:alert(1)", "/")]
    public void Local_APath_NeverLeadsElsewhere(string? path, string expected) => Assert.Equal(expected, SignInAnswers.Local(path));
}
