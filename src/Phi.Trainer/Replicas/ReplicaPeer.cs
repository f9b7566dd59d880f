using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Phi.Api.Metadata;
using Phi.Checkpoints;

namespace Phi.Trainer.Replicas;

/// <summary>The memory of another pod of the gang, by its agent's <see cref="ReplicaServer"/>. Safe for several threads.</summary>
internal sealed class ReplicaPeer : IDisposable
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    /// <summary>For a list, or for a range of at most a few MB.</summary>
    private static readonly TimeSpan ReadTimeout = TimeSpan.FromSeconds(30);
    private readonly HttpClient _http;

    /// <param name="key">Of the attempt that both pods run.</param>
    public ReplicaPeer(Uri address, string key)
    {
        _http = new HttpClient(new SocketsHttpHandler { ConnectTimeout = ConnectTimeout }) { BaseAddress = address, Timeout = Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    /// <exception cref="CheckpointException">It does not answer.</exception>
    public IReadOnlyList<ReplicaPart> Parts() => Read(ReplicaRoutes.Parts, null, 0, (stream, _) => JsonSerializer.Deserialize<List<ReplicaPart>>(stream, PhiJson.Options)!);

    /// <exception cref="CheckpointException">It does not answer, or has no such file.</exception>
    public byte[] ReadAll(string name) => Read(ReplicaRoutes.Of(name), null, 0, (stream, _) =>
    {
        using var content = new MemoryStream();
        stream.CopyTo(content);
        return content.ToArray();
    });

    /// <summary>Fills the memory with consecutive bytes of a file.</summary>
    /// <exception cref="CheckpointException">It does not answer, has no such file, or the file ends before them.</exception>
    public void Read(string name, long first, Span<byte> into) => _ = Read(ReplicaRoutes.Of(name), new RangeHeaderValue(first, first + into.Length - 1), into, (stream, memory) =>
    {
        stream.ReadExactly(memory);
        return true;
    });

    /// <summary>Puts a file there.</summary>
    /// <exception cref="StorageException">It is not.</exception>
    public void Put(string name, int attempt, string path, CancellationToken cancellationToken)
    {
        try
        {
            using var file = File.OpenRead(path);
            using var request = new HttpRequestMessage(HttpMethod.Put, ReplicaRoutes.Of(name, attempt)) { Content = new StreamContent(file) };
            using var response = _http.Send(request, cancellationToken);
            if (!response.IsSuccessStatusCode)
            {
                using var said = new StreamReader(response.Content.ReadAsStream(cancellationToken));
                throw new StorageException($"the pod at {_http.BaseAddress} does not take {name} ({(int)response.StatusCode}): {said.ReadToEnd()}");
            }
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            throw new StorageException($"{name} does not get to the pod at {_http.BaseAddress}: {e.Message}", e);
        }
    }

    public void Dispose() => _http.Dispose();

    private T Read<TState, T>(string route, RangeHeaderValue? range, TState state, Func<Stream, TState, T> read)
        where TState : allows ref struct
    {
        using var patience = new CancellationTokenSource(ReadTimeout);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, route);
            request.Headers.Range = range;
            using var response = _http.Send(request, patience.Token);
            return response.StatusCode == (range is null ? HttpStatusCode.OK : HttpStatusCode.PartialContent)
                ? read(response.Content.ReadAsStream(patience.Token), state)
                : throw new CheckpointException($"the pod at {_http.BaseAddress} has not what was asked for ({route}): {(int)response.StatusCode}");
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException or JsonException)
        {
            throw new CheckpointException($"the pod at {_http.BaseAddress} does not answer {route}: {e.Message}", e);
        }
    }
}
