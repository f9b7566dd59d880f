using System.Text.Json.Nodes;
using k8s.Exceptions;
using Phi.Cli.Cluster;
using Phi.Cli.Resources;
using Phi.Kubernetes;

namespace Phi.Cli.Completion;

/// <summary>Names of what a cluster has, for somebody who waits at a prompt: soon, or none.</summary>
internal static class ClusterNames
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1.5);

    public static async Task<IReadOnlyList<string>> ReadAsync(CompletionKind kind, CompletionWords read)
    {
        if (kind is CompletionKind.None or CompletionKind.File)
        {
            return [];
        }

        try
        {
            var target = ClusterTarget.Resolve(read.Value("--kubeconfig"), read.Value("--home"), Surroundings.Real);
            if (kind == CompletionKind.Context)
            {
                return target.Files.Count == 0 ? [] : KubeconfigContext.Read(target.Files, null).Names;
            }

            using var session = ClusterSession.Open(target, read.Value("--context"), read.Value("--namespace"));
            using var deadline = new CancellationTokenSource(Patience);
            return await ReadAsync(kind, read, session, deadline.Token);
        }
        catch (Exception e) when (e is CliException or KubeConfigException or HttpRequestException or IOException or KubernetesApiException or OperationCanceledException)
        {
            // An error in the middle of a command line that is being typed helps nobody.
            return [];
        }
    }

    private static async Task<IReadOnlyList<string>> ReadAsync(CompletionKind kind, CompletionWords read, ClusterSession session, CancellationToken ct)
    {
        switch (kind)
        {
            case CompletionKind.Namespace:
                var (namespaces, _) = await new ResourceClient<JsonObject>(session.Connection, "", "v1", "namespaces").ListAsync(null, null, Name, ct);
                return namespaces;
            case CompletionKind.Checkpoint:
                return [.. (await NamesAsync(ResourceKind.Job)).Select(name => $"job/{name}")];
            case CompletionKind.Queue:
                return await NamesAsync(ResourceKind.Queue);
            case CompletionKind.Cron:
                return await NamesAsync(ResourceKind.Cron);
            default:
                var named = kind == CompletionKind.Listed && read.Arguments is [var first, ..] ? ResourceKind.Find(first) : null;
                return [.. (await NamesAsync(named ?? ResourceKind.Job)).Except(read.Arguments)];
        }

        async Task<IReadOnlyList<string>> NamesAsync(ResourceKind of)
        {
            var (items, _) = await new ResourceReader(session, of).ListAsync(session.Namespace, ct);
            return [.. items.Select(Name)];
        }
    }

    private static string Name(JsonObject item) => (string?)item["metadata"]?["name"] ?? "";
}
