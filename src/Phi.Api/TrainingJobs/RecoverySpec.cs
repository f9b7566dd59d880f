namespace Phi.Api.TrainingJobs;

public sealed class RecoverySpec
{
    /// <summary>Charged restarts allowed within the window, at least 0. Default 3.</summary>
    public int? MaxRestarts { get; set; }
    /// <summary>Duration such as 24h. Null: the job's whole life.</summary>
    public string? RestartWindow { get; set; }
    /// <summary>First delay before a charged restart, doubled each time up to 5m. Default 1s.</summary>
    public string? Backoff { get; set; }
    /// <summary>No step for this long is a hang. Default 10m.</summary>
    public string? HangTimeout { get; set; }
    /// <summary>First match wins.</summary>
    public List<RecoveryRuleSpec>? Rules { get; set; }
}

/// <summary>At least one matcher; action is Restart, RestartFree, Fail or ExcludeNode.</summary>
public sealed class RecoveryRuleSpec
{
    public List<int>? ExitCodes { get; set; }
    public List<string>? Reasons { get; set; }
    public string? MessageRegex { get; set; }
    public string? Action { get; set; }
}
