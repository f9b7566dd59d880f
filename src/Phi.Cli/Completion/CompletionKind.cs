namespace Phi.Cli.Completion;

/// <summary>What may stand in an argument's or option's place, where its type does not tell.</summary>
internal enum CompletionKind
{
    /// <summary>Nothing that could be proposed.</summary>
    None,
    File,
    Job,
    Queue,
    Cron,
    Namespace,
    Context,

    /// <summary>Of <c>phi get</c>: a kind, or a job.</summary>
    Listed,

    /// <summary>A job's checkpoints as job/NAME, or a path.</summary>
    Checkpoint,
}
