using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Cli.Cluster;

namespace Phi.Cli.Jobs;

/// <summary>TrainingJobs over the Kubernetes API.</summary>
public sealed class JobClient : IDisposable
{
    private readonly HttpClient _http;

    public JobClient(ClusterState cluster)
    {
        _http = new HttpClient { BaseAddress = cluster.Server, Timeout = TimeSpan.FromSeconds(30) };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", cluster.Token);
    }

    public void Dispose() => _http.Dispose();

    /// <summary>The job, or null if there is none of that name.</summary>
    public async Task<TrainingJob?> GetAsync(JobName name, CancellationToken cancellationToken)
    {
        using var response = await _http.GetAsync(Path(name), cancellationToken);
        if (response.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }

        await ThrowIfRefusedAsync(response, cancellationToken);
        return await response.Content.ReadFromJsonAsync<TrainingJob>(PhiJson.Options, cancellationToken);
    }

    /// <summary>Server-side apply of one manifest.</summary>
    /// <exception cref="CliException">The server refused it; its message is passed on.</exception>
    public async Task<TrainingJob> ApplyAsync(JobName name, JsonObject manifest, CancellationToken cancellationToken)
    {
        using var content = new StringContent(manifest.ToJsonString(), Encoding.UTF8, "application/apply-patch+yaml");
        using var response = await _http.PatchAsync(Path(name) + "?fieldManager=phi-cli&force=true&fieldValidation=Strict", content, cancellationToken);
        await ThrowIfRefusedAsync(response, cancellationToken);
        return (await response.Content.ReadFromJsonAsync<TrainingJob>(PhiJson.Options, cancellationToken))!;
    }

    public async Task SuspendAsync(JobName name, bool suspend, CancellationToken cancellationToken)
    {
        using var content = new StringContent($$$"""{"spec":{"suspend":{{{(suspend ? "true" : "false")}}}}}""", Encoding.UTF8, "application/merge-patch+json");
        using var response = await _http.PatchAsync(Path(name), content, cancellationToken);
        await ThrowIfRefusedAsync(response, cancellationToken);
    }

    public async Task DeleteAsync(JobName name, CancellationToken cancellationToken)
    {
        using var response = await _http.DeleteAsync(Path(name), cancellationToken);
        if (response.StatusCode != HttpStatusCode.NotFound)
        {
            await ThrowIfRefusedAsync(response, cancellationToken);
        }
    }

    private static string Path(JobName name) =>
        $"apis/{PhiNames.ApiVersion}/namespaces/{Uri.EscapeDataString(name.Namespace)}/trainingjobs/{Uri.EscapeDataString(name.Name)}";

    private static async Task ThrowIfRefusedAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.IsSuccessStatusCode)
        {
            return;
        }

        var body = await response.Content.ReadAsStringAsync(cancellationToken);
        string? message;
        try
        {
            message = JsonNode.Parse(body)?["message"]?.GetValue<string>();
        }
        catch (System.Text.Json.JsonException)
        {
            message = null;
        }

        var code = (int)response.StatusCode is >= 400 and < 500 ? ExitCodes.InvalidManifest : ExitCodes.ControlPlaneUnavailable;
        throw new CliException(message ?? $"the API server answered {(int)response.StatusCode}: {body}", code);
    }
}
