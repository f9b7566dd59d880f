namespace Phi.Cli.Jobs;

/// <summary>Namespace and name of a job.</summary>
public sealed record JobName(string Namespace, string Name)
{
    public const string DefaultNamespace = "default";

    /// <summary>What may stand before a job's name, as kubectl writes and takes it.</summary>
    private static readonly string[] Prefixes = ["tj/", "job/", "trainingjob/", "trainingjobs/", "trainingjob.phi-orchestrator.io/", "trainingjobs.phi-orchestrator.io/"];

    /// <summary>A job as a command line names it: NAME, or tj/NAME, or as <c>-o name</c> prints it.</summary>
    public static JobName Parse(string @namespace, string text) =>
        new(@namespace, Array.Find(Prefixes, prefix => text.StartsWith(prefix, StringComparison.Ordinal)) is { } given ? text[given.Length..] : text);

    public override string ToString() => $"{Namespace}/{Name}";
}
