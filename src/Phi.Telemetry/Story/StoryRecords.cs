namespace Phi.Telemetry.Story;

/// <summary>What the operator decided about a job, when it was something new.</summary>
/// <param name="Phase">The job's from then on.</param>
/// <param name="Attempt">The job's current one; 0 before the first.</param>
public sealed record Transition(DateTimeOffset Time, string Reason, string Message, bool IsWarning, int Attempt, string Phase);

/// <summary>How an attempt ended.</summary>
/// <param name="Step">Newest step that it completed.</param>
/// <param name="ResumeStep">Step from which the next one goes on.</param>
public sealed record Interruption(int Attempt, DateTimeOffset Time, string Reason, string Message, bool Charged, long Step, long ResumeStep, long LostSteps);

/// <summary>How far an attempt has come, by rank 0's word.</summary>
public sealed record Mark(int Attempt, string Name, DateTimeOffset Time);

/// <summary>When an attempt trained: from the beginning of its first step to the end of its last.</summary>
public sealed record TrainingSpan(int Attempt, DateTimeOffset Start, DateTimeOffset FirstStepEnd, DateTimeOffset End);

/// <summary>What is new of one job.</summary>
/// <param name="Run">The job's uid.</param>
/// <param name="Interruptions">Those that the job's status has.</param>
public sealed record StoryPage(string Run, string Namespace, string Job, IReadOnlyList<Transition> Transitions, IReadOnlyList<Interruption> Interruptions);

/// <summary>All that happened to one run, each in the order of time.</summary>
public sealed record RunStory
{
    public static readonly RunStory Empty = new() { Transitions = [], Interruptions = [], Marks = [], Training = [] };

    public required IReadOnlyList<Transition> Transitions { get; init; }
    public required IReadOnlyList<Interruption> Interruptions { get; init; }
    public required IReadOnlyList<Mark> Marks { get; init; }
    public required IReadOnlyList<TrainingSpan> Training { get; init; }
}
