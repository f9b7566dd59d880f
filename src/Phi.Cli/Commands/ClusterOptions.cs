using System.CommandLine;
using Phi.Cli.Cluster;
using Phi.Cli.Completion;

namespace Phi.Cli.Commands;

/// <summary>Which cluster and namespace a command works on, by the same options everywhere, as kubectl has them.</summary>
internal sealed class ClusterOptions
{
    private readonly Option<string?> _kubeconfig = new("--kubeconfig") { Description = "Kubeconfig of the cluster. Default: $KUBECONFIG, else the local control plane if it runs, else ~/.kube/config, else the pod's account." };
    private readonly Option<string?> _context = new("--context") { Description = "Context of the kubeconfig. Default: its current one." };
    private readonly Option<string?> _home = new("--home") { Description = "Folder of a local control plane, to work on that. Default: $PHI_HOME, else ~/.phi." };
    private readonly Option<string?> _namespace = new("--namespace", "-n") { Description = "Namespace. Default: the context's." };
    private readonly Option<bool> _all = new("--all-namespaces", "-A") { Description = "Of every namespace." };

    private readonly bool _speaksToOthers;

    /// <param name="speaksToOthers">The command opens TLS connections elsewhere too, such as to a database.</param>
    public ClusterOptions(bool speaksToOthers = false)
    {
        _speaksToOthers = speaksToOthers;
        _context.CompletesWith(CompletionKind.Context);
        _namespace.CompletesWith(CompletionKind.Namespace);
        _kubeconfig.CompletesWith(CompletionKind.File);
        _home.CompletesWith(CompletionKind.File);
    }

    /// <summary>For commands on what is in a namespace.</summary>
    public ClusterOptions AddTo(Command command)
    {
        command.Add(_namespace);
        return AddClusterTo(command);
    }

    /// <summary>For commands that list what is in a namespace, or in all.</summary>
    public ClusterOptions AddListTo(Command command)
    {
        command.Add(_namespace);
        command.Add(_all);
        command.Validators.Add(result =>
        {
            if (result.GetResult(_namespace) is { Implicit: false } && result.GetValue(_all))
            {
                result.AddError("--namespace and --all-namespaces are given; keep one of them.");
            }
        });
        return AddClusterTo(command);
    }

    /// <summary>For commands on what is in no namespace.</summary>
    public ClusterOptions AddClusterTo(Command command)
    {
        command.Add(_kubeconfig);
        command.Add(_context);
        command.Add(_home);
        return this;
    }

    /// <exception cref="CliException">No cluster is known, its kubeconfig cannot be used, or the API server does not answer or refuses.</exception>
    public async Task<T> UseAsync<T>(ParseResult parse, Func<ClusterSession, Task<T>> work)
    {
        using var session = Open(parse);
        if (session.IsSelfContained && !_speaksToOthers)
        {
            SystemAuthorities.Ignore();
        }

        return await session.UseAsync(work);
    }

    /// <exception cref="CliException">No cluster is known, or its kubeconfig cannot be used.</exception>
    public ClusterSession Open(ParseResult parse) => Open(parse, ClusterTarget.Resolve(parse.GetValue(_kubeconfig), parse.GetValue(_home), Surroundings.Real));

    /// <exception cref="CliException">Its kubeconfig cannot be used.</exception>
    public ClusterSession Open(ParseResult parse, ClusterTarget target) => ClusterSession.Open(target, parse.GetValue(_context), parse.GetValue(_namespace));

    /// <summary>Null: no cluster is known.</summary>
    /// <exception cref="CliException">One is named that is not there.</exception>
    public ClusterTarget? FindTarget(ParseResult parse) => ClusterTarget.Find(parse.GetValue(_kubeconfig), parse.GetValue(_home), Surroundings.Real);

    public bool IsAll(ParseResult parse) => parse.GetValue(_all);

    /// <summary>As the command line gives it, if it does.</summary>
    public string? Namespace(ParseResult parse) => parse.GetValue(_namespace);

    /// <summary>The namespace to list; null: all.</summary>
    public string? Listed(ParseResult parse, ClusterSession session) => parse.GetValue(_all) ? null : session.Namespace;
}
