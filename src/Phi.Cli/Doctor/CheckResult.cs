namespace Phi.Cli.Doctor;

/// <summary>How a check came out. A warning works today, and may not tomorrow; what is skipped could not be looked at from here.</summary>
internal enum CheckState
{
    Ok,
    Warn,
    Fail,
    Skipped,
}

/// <summary>What one check found.</summary>
/// <param name="Check">What was looked at, in a word or two.</param>
/// <param name="Message">What was seen; of a skipped check, why it was.</param>
/// <param name="Remedy">What to do; null: nothing.</param>
internal sealed record CheckResult(string Check, CheckState State, string Message, string? Remedy = null)
{
    public static CheckResult Ok(string check, string message) => new(check, CheckState.Ok, message);

    public static CheckResult Warn(string check, string message, string remedy) => new(check, CheckState.Warn, message, remedy);

    public static CheckResult Fail(string check, string message, string remedy) => new(check, CheckState.Fail, message, remedy);

    public static CheckResult Skip(string check, string why) => new(check, CheckState.Skipped, why);
}
