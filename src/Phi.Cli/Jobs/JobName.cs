namespace Phi.Cli.Jobs;

/// <summary>Namespace and name of a job.</summary>
public sealed record JobName(string Namespace, string Name)
{
    public override string ToString() => $"{Namespace}/{Name}";
}
