using System.Text.Json.Nodes;

namespace Phi.Cli.Doctor;

/// <summary>Whether the operator may do what it does.</summary>
internal static class PermissionChecks
{
    private const string Check = "permissions";
    private const string Reviews = "apis/authorization.k8s.io/v1";

    /// <summary>Where an operator keeps what is its own if it runs in no pod.</summary>
    private const string DefaultNamespace = "kube-system";

    /// <param name="account">The operator's, as NAMESPACE/NAME; null: looked for, and if there is none the kubeconfig's user is asked about.</param>
    public static async Task<IReadOnlyList<CheckResult>> RunAsync(ClusterFacts facts, string? account, CancellationToken ct)
    {
        var found = account ?? await FindAsync(facts, ct);
        if (found is not null && found.Split('/') is not [{ Length: > 0 }, { Length: > 0 }])
        {
            throw new CliException($"--operator-account is '{found}'; it must be NAMESPACE/NAME, such as phi-system/phi-operator", ExitCodes.Usage);
        }

        var user = found is null ? null : $"system:serviceaccount:{found.Replace('/', ':')}";
        var home = found?.Split('/')[0] ?? DefaultNamespace;
        var missing = new List<string>();
        foreach (var rule in OperatorRules.All)
        {
            foreach (var verb in rule.Verbs)
            {
                if (!await IsAllowedAsync(facts, user, home, rule, verb, ct))
                {
                    missing.Add($"{verb} {rule.Resource}{(rule.Group.Length > 0 ? $".{rule.Group}" : "")}{(rule.Name is null ? "" : $" {rule.Name}")}{(rule.IsOwn ? $" in {home}" : "")}");
                }
            }
        }

        var who = found is null ? "this kubeconfig's user (no operator's service account is known; name it with --operator-account)" : $"service account {found}";
        return
        [
            missing.Count == 0
                ? CheckResult.Ok(Check, $"{who} may do what the operator does: {OperatorRules.All.Sum(rule => rule.Verbs.Length)} rights")
                : CheckResult.Fail(Check, $"{who} may not {string.Join(", ", missing)}", "bind a ClusterRole with these rights to it, or Roles where the operator has --watch-namespace; the chart makes both"),
        ];
    }

    private static async Task<bool> IsAllowedAsync(ClusterFacts facts, string? user, string home, OperatorRule rule, string verb, CancellationToken ct)
    {
        var (resource, subresource) = rule.Resource.Split('/', 2) is [var parent, var child] ? (parent, child) : (rule.Resource, "");
        var wanted = new JsonObject { ["verb"] = verb, ["group"] = rule.Group, ["resource"] = resource, ["subresource"] = subresource, ["name"] = rule.Name ?? "", ["namespace"] = rule.IsOwn ? home : "" };
        var spec = new JsonObject { ["resourceAttributes"] = wanted };
        if (user is not null)
        {
            spec["user"] = user;
            spec["groups"] = new JsonArray("system:serviceaccounts", $"system:serviceaccounts:{user.Split(':')[2]}", "system:authenticated");
        }

        var kind = user is null ? "SelfSubjectAccessReview" : "SubjectAccessReview";
        var answer = await facts.PostAsync($"{Reviews}/{kind.ToLowerInvariant()}s", new JsonObject { ["apiVersion"] = "authorization.k8s.io/v1", ["kind"] = kind, ["spec"] = spec }, ct);
        return (bool?)answer["status"]?["allowed"] == true;
    }

    /// <summary>By the name that the operator's account has where this product made it.</summary>
    private static async Task<string?> FindAsync(ClusterFacts facts, CancellationToken ct)
    {
        var accounts = await facts.ListAsync("", "v1", "serviceaccounts", null, null, ct);
        return accounts.FirstOrDefault(one => one.Name.EndsWith("phi-operator", StringComparison.Ordinal)) is { } found ? $"{found.Namespace}/{found.Name}" : null;
    }
}
