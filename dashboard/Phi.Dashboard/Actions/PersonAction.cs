namespace Phi.Dashboard.Actions;

/// <summary>Something that a person may do, as the audit log names it, and the least role that may.</summary>
public sealed record PersonAction(string Name, string Role)
{
    public static readonly PersonAction Submit = new("submit", SignIn.Role.Operator);
    public static readonly PersonAction Suspend = new("suspend", SignIn.Role.Operator);
    public static readonly PersonAction Resume = new("resume", SignIn.Role.Operator);
    public static readonly PersonAction Delete = new("delete", SignIn.Role.Admin);
    public static readonly PersonAction RunNow = new("run now", SignIn.Role.Operator);
    public static readonly PersonAction Pin = new("pin", SignIn.Role.Operator);
    public static readonly PersonAction Unpin = new("unpin", SignIn.Role.Admin);
    public static readonly PersonAction Verify = new("verify", SignIn.Role.Operator);
}

/// <summary>What an action is done to.</summary>
internal sealed record ActionTarget(string Kind, string Namespace, string Name)
{
    public override string ToString() => $"{Namespace}/{Name}";
}

/// <summary>What came of an action, in words for the person.</summary>
public sealed record ActionOutcome(bool IsDone, string Message);
