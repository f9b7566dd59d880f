using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;

namespace Phi.Cli.Jobs;

/// <summary>The logs of a job's pods, line by line.</summary>
internal sealed class JobLogs(KubernetesConnection connection, TextWriter output, TextWriter error)
{
    private readonly Lock _lock = new();

    /// <param name="rank">Lines of this rank alone; null: all.</param>
    /// <returns>How many pods there are.</returns>
    public async Task<int> WriteAsync(TrainingJob job, string? pod, int? rank, int tail, bool isFollowing, CancellationToken ct)
    {
        var (items, _) = await connection.Pods().ListAsync(job.Metadata.Namespace, $"&labelSelector={Uri.EscapeDataString($"{PhiNames.JobUidLabel}={job.Metadata.Uid}")}", ct);
        var pods = items.Select(item => (string)item["metadata"]!["name"]!).Where(name => pod is null || name == pod).Order(StringComparer.Ordinal).ToList();
        await Task.WhenAll(pods.Select(name => WriteAsync(job.Metadata.Namespace!, name, pods.Count > 1 ? $"{name} " : "", rank, tail, isFollowing, ct)));
        return pods.Count;
    }

    private async Task WriteAsync(string @namespace, string pod, string prefix, int? rank, int tail, bool isFollowing, CancellationToken ct)
    {
        try
        {
            using var response = await connection.OpenAsync($"/api/v1/namespaces/{@namespace}/pods/{pod}/log?tailLines={tail}{(isFollowing ? "&follow=true" : "")}", ct);
            using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(ct));
            while (await lines.ReadLineAsync(ct) is { } line)
            {
                if (rank is null || line.StartsWith($"[rank {rank}] ", StringComparison.Ordinal))
                {
                    lock (_lock)
                    {
                        output.WriteLine(prefix + line);
                    }
                }
            }
        }
        catch (KubernetesApiException e)
        {
            lock (_lock)
            {
                error.WriteLine($"{pod}: {e.Message}");
            }
        }
    }
}
