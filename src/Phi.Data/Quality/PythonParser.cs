using System.Collections.Concurrent;

namespace Phi.Data.Quality;

/// <summary>
/// Whether documents parse as Python, by a few workers. A document that ends a worker twice does not; one that takes one too long is an
/// error, for another machine might have been quicker: the rule must say the same of a document everywhere.
/// </summary>
internal sealed class PythonParser : IDisposable
{
    /// <summary>Longer documents are not given to Python, and count as such that do not parse.</summary>
    public const int MostBytes = 4 << 20;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly int MostWorkers = Math.Min(Environment.ProcessorCount, 8);
    private readonly ConcurrentBag<PythonWorker> _idle = [];
    private readonly SemaphoreSlim _free = new(MostWorkers);

    private PythonParser(PythonWorker first)
    {
        Version = first.Version;
        _idle.Add(first);
    }

    public string Version { get; }

    /// <exception cref="DataException">There is no python3.</exception>
    public static async Task<PythonParser> StartAsync(CancellationToken cancellationToken) => new(await PythonWorker.StartAsync(cancellationToken));

    /// <param name="name">Of the document, for the message.</param>
    /// <exception cref="DataException">Python takes too long over it.</exception>
    public async Task<bool> ParsesAsync(byte[] content, string name, CancellationToken cancellationToken)
    {
        if (content.Length > MostBytes)
        {
            return false;
        }

        await _free.WaitAsync(cancellationToken);
        try
        {
            return await TryAsync(content, name, cancellationToken) ?? await TryAsync(content, name, cancellationToken) ?? false;
        }
        finally
        {
            _free.Release();
        }
    }

    public void Dispose()
    {
        while (_idle.TryTake(out var worker))
        {
            worker.Dispose();
        }

        _free.Dispose();
    }

    private async Task<bool?> TryAsync(byte[] content, string name, CancellationToken cancellationToken)
    {
        var worker = _idle.TryTake(out var idle) ? idle : await PythonWorker.StartAsync(cancellationToken);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        bool? verdict = null;
        try
        {
            return verdict = await worker.ParsesAsync(content, limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new DataException($"{name} keeps Python's parser busy for more than {Patience.TotalSeconds:0} s. Leave it out of the sources, or leave python-parses out.");
        }
        finally
        {
            if (verdict is null)
            {
                worker.Dispose();
            }
            else
            {
                _idle.Add(worker);
            }
        }
    }
}
