using System.Security.Claims;

namespace Phi.Dashboard.SignIn;

/// <summary>What a person may do; each role may do what those before it may.</summary>
internal static class Role
{
    /// <summary>Sees everything but the audit log.</summary>
    public const string Viewer = "viewer";

    /// <summary>Submits, suspends and resumes jobs; pins and verifies checkpoints.</summary>
    public const string Operator = "operator";

    /// <summary>Deletes jobs, gives checkpoints free, and reads the audit log.</summary>
    public const string Admin = "admin";

    public static readonly IReadOnlyList<string> All = [Viewer, Operator, Admin];

    /// <summary>Null: the person has none, and sees nothing.</summary>
    public static string? Of(ClaimsPrincipal person) => All.LastOrDefault(person.IsInRole);

    /// <summary>A person with a role and all before it, and nothing else that a provider may have said.</summary>
    public static ClaimsPrincipal Person(string name, string role, string scheme)
    {
        var held = All.TakeWhile(one => one != role).Append(role).Select(one => new Claim(ClaimTypes.Role, one));
        return new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, name), .. held], scheme));
    }
}
