using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Phi.Api.Metadata;

namespace Phi.Api.TrainingJobs;

/// <summary>Names by the rules of Azure Storage (learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules).</summary>
internal static partial class AzureBlobStoreValidator
{
    public const string AccountPattern = "^[a-z0-9]{3,24}$";
    public const string AccountRule = "must be 3 to 24 lower-case letters and digits";
    public const string ContainerPattern = "^[a-z0-9](-?[a-z0-9])*$";
    public const string ContainerRule = "must be 3 to 63 lower-case letters, digits and single hyphens, with a letter or a digit at both ends";
    public const string PrefixPattern = "^[^/?#\\\\]+(/[^/?#\\\\]+)*$";
    public const string PrefixDotPattern = "(^|/)[.]+(/|$)|[.]$";
    public const string PrefixRule = "must be names parted by single slashes, without '?', '#' or a backslash, none of them dots alone, and no dot at the end";
    public const string SecretPattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
    public const string SecretRule = "must be the name of a Secret";
    public const string EndpointPattern = "^https?://[^/?#@]+(/[^?#@]*)?$";
    public const string EndpointRule = "must be the address of a blob service, with http or https and without a signature";
    public const string AccountRemedy = "write the account's name alone, such as mymodels";
    public const string ContainerRemedy = "write the name of a container that exists, such as checkpoints";
    public const string PrefixRemedy = "write it like team/run, or leave it out";
    public const string SecretRemedy = "name a Secret of the job's namespace with the key connectionString, or leave it out for a workload identity";
    public const string EndpointRemedy = "leave it out for https://ACCOUNT.blob.core.windows.net, and keep signatures in the Secret";
    public const int LongestPrefix = 900;
    private static readonly string[] CredentialVariables = [PhiEnvironment.AzureStorageSasToken, PhiEnvironment.AzureStorageConnectionString];

    public static void Validate(string field, AzureBlobStoreSpec spec, ErrorList errors)
    {
        errors.Required($"{field}.account", spec.Account, AccountRemedy);
        errors.Required($"{field}.container", spec.Container, ContainerRemedy);
        Check($"{field}.account", spec.Account, Account().IsMatch, AccountRule, AccountRemedy);
        Check($"{field}.container", spec.Container, name => name.Length is >= 3 and <= 63 && Container().IsMatch(name), ContainerRule, ContainerRemedy);
        Check($"{field}.prefix", spec.Prefix, name => name.Length <= LongestPrefix && Prefix().IsMatch(name) && !PrefixDot().IsMatch(name), PrefixRule, PrefixRemedy);
        Check($"{field}.secretName", spec.SecretName, name => name.Length <= 253 && Secret().IsMatch(name), SecretRule, SecretRemedy);
        if (Uri.TryCreate(spec.Endpoint, UriKind.Absolute, out var address) && spec.Account is { } account && address.Host.Split('.')[0] != account && address.AbsolutePath.Trim('/') != account)
        {
            errors.Add($"{field}.account", account, $"must be the account of the endpoint {spec.Endpoint.Split('?')[0]}: the first part of its host, or its path", EndpointRemedy.Split(',')[0]);
        }

        Check($"{field}.endpoint", spec.Endpoint, text => Endpoint().IsMatch(text) && Uri.TryCreate(text, UriKind.Absolute, out _), EndpointRule, EndpointRemedy);

        void Check(string name, string? value, Func<string, bool> isGood, string rule, string remedy)
        {
            if (value is not null && !isGood(value))
            {
                // What a person put into an address may be a signature.
                errors.Add(name, value.Split('?')[0], rule, remedy);
            }
        }
    }

    /// <summary>
    /// One credential, and one that the address can be used with. What spec.template.env has (<paramref name="env"/>) stands beside the Secret
    /// of the store (<paramref name="isStore"/>), and behind the Secret of what a job begins with.
    /// </summary>
    public static void Credential(string field, AzureBlobStoreSpec spec, JsonArray? env, bool isStore, ErrorList errors)
    {
        var given = (env ?? []).OfType<JsonObject>().Select(variable => variable["name"]).OfType<JsonValue>().Select(name => name.ToString()).FirstOrDefault(CredentialVariables.Contains);
        if (isStore && spec.SecretName is { } secret && given is not null)
        {
            errors.Add($"{field}.secretName", secret, $"must be the only credential; spec.template.env has {given}", "remove that variable, or leave out secretName");
        }

        if (spec.SecretName is null && given is null && spec.Endpoint?.StartsWith("http://", StringComparison.OrdinalIgnoreCase) == true)
        {
            errors.Add($"{field}.secretName", null, $"is required with the endpoint {spec.Endpoint.Split('?')[0]}: a workload identity's token is sent over https alone", SecretRemedy.Split(',')[0]);
        }
    }

    [GeneratedRegex(AccountPattern, RegexOptions.CultureInvariant)]
    private static partial Regex Account();

    [GeneratedRegex(ContainerPattern, RegexOptions.CultureInvariant)]
    private static partial Regex Container();

    [GeneratedRegex(PrefixPattern, RegexOptions.CultureInvariant)]
    private static partial Regex Prefix();

    [GeneratedRegex(PrefixDotPattern, RegexOptions.CultureInvariant)]
    private static partial Regex PrefixDot();

    [GeneratedRegex(SecretPattern, RegexOptions.CultureInvariant)]
    private static partial Regex Secret();

    [GeneratedRegex(EndpointPattern, RegexOptions.CultureInvariant)]
    private static partial Regex Endpoint();
}
