using System.Text.Json.Nodes;

namespace Phi.LocalCluster.ApiServer.Authentication;

/// <summary>Who makes a request (authentication.k8s.io/v1 UserInfo).</summary>
internal sealed record UserInfo(string Name, IReadOnlyList<string> Groups)
{
    /// <summary>Members may do everything, whatever the roles say.</summary>
    public const string Masters = "system:masters";
    public const string Authenticated = "system:authenticated";
    public const string Anonymous = "system:anonymous";
    private const string AccountPrefix = "system:serviceaccount:";

    public string Uid { get; init; } = "";

    public IReadOnlyDictionary<string, IReadOnlyList<string>> Extra { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>The holder of the server's own token.</summary>
    public static UserInfo Admin { get; } = new("phi-admin", [Masters, Authenticated]);

    public bool IsMaster => Groups.Contains(Masters);

    public static string AccountName(string @namespace, string name) => $"{AccountPrefix}{@namespace}:{name}";

    public static IReadOnlyList<string> AccountGroups(string @namespace) => ["system:serviceaccounts", $"system:serviceaccounts:{@namespace}", Authenticated];

    /// <summary>Null if the user is no service account.</summary>
    public static (string Namespace, string Name)? Account(string user) =>
        user.StartsWith(AccountPrefix, StringComparison.Ordinal) && user[AccountPrefix.Length..].Split(':') is [{ Length: > 0 } @namespace, { Length: > 0 } name] ? (@namespace, name) : null;

    public JsonObject ToJson()
    {
        var json = new JsonObject { ["username"] = Name };
        if (Uid.Length > 0)
        {
            json["uid"] = Uid;
        }

        json["groups"] = Strings(Groups);
        if (Extra.Count > 0)
        {
            json["extra"] = new JsonObject(Extra.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)Strings(pair.Value))));
        }

        return json;
    }

    private static JsonArray Strings(IEnumerable<string> values) => new([.. values.Select(value => (JsonNode?)value)]);
}
