using System.CommandLine;
using Phi.Cli.Commands;

namespace Phi.Cli.Tests;

/// <summary>What <c>phi dashboard</c> is given, and its errors.</summary>
public sealed class DashboardCommandTests
{
    private const string Provider = "--oidc-authority https://id.example --oidc-client-id phi";

    [Theory]
    [InlineData("", "nobody could sign in", "give a token in $PHI_DASHBOARD_TOKEN, or --oidc-authority")]
    [InlineData("--token t --bind nowhere", "--bind is 'nowhere'", "write 127.0.0.1, or 0.0.0.0 for all")]
    [InlineData("--token t --session soon", "--session is 'soon'", "write it like 12h")]
    [InlineData("--oidc-authority http://id.example --oidc-client-id phi --viewers *", "--oidc-authority is 'http://id.example'", "is no https address")]
    [InlineData("--oidc-authority id.example", "--oidc-authority is 'id.example'", "is no https address")]
    [InlineData("--oidc-authority https://id.example --viewers *", "--oidc-client-id is missing", "client id at --oidc-authority")]
    [InlineData(Provider, "nobody of id.example would have a role", "give --viewers, --operators or --admins")]
    [InlineData(Provider + " --viewers * --oidc-client-secret-file /nowhere/secret", "--oidc-client-secret-file cannot be read", "/nowhere/secret")]
    public async Task Dashboard_ABadOption_IsAnErrorWithValueAndRemedy(string options, params string[] says)
    {
        var command = new RootCommand { DashboardCommand.Create() };
        var parse = command.Parse(["dashboard", "--kubeconfig", "/nowhere", "--telemetry", "/nowhere", .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);

        var error = await Assert.ThrowsAsync<CliException>(() => parse.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false }, TestContext.Current.CancellationToken));

        Assert.Equal(ExitCodes.Usage, error.ExitCode);
        Assert.All(says, word => Assert.Contains(word, error.Message, StringComparison.Ordinal));
    }
}
